"""Incidents (应急处置): begun with an end, extended, ended; and what becomes of the messages that they held."""
