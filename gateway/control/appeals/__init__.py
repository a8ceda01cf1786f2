"""Appeals (申诉): filed without log-in by a code, decided by somebody else, told under the same code."""
