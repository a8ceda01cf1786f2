"""From what was recorded to a judgement: figures, objectives, void runs, the knee, two runs compared."""
