"""The console (审核台): where a moderation team works all day, on the control address under ``/console/``."""
