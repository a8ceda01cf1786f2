"""Cases (审核任务): what waits for a person, why, who holds it, and what they decided. No endpoints: ``review``."""
