"""The nodes that share a control database: their numbers, who of them leads, and what the others did."""
