"""Emergency switches and urgent words (应急处置)."""
