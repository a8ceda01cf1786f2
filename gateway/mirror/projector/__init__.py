"""The process that follows the journal and keeps the mirror."""
