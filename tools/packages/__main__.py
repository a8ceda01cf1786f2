"""``python -m tools.packages make|try|sbom|matrix``: packages for users, what is in them, and whether they work.

``make``: source archive, pure wheel, and a compiled wheel for each Python here, into dist/. ``try``: what is in dist/,
installed in environments of its own. ``sbom``: a CycloneDX list of what is installed with it. ``matrix``: the tests
under each Python here; what stands behind ``--`` goes to pytest. A Python that is not here is told, and left out.
"""

from __future__ import annotations

import argparse
import sys

from tools.packages import making, matrix, pythons, sbom, trying
from tools.packages.contents import WrongContents


def main() -> None:
    """Exits 1 where something is wrong with a package or under a Python, 2 where no Python is here."""
    parser = argparse.ArgumentParser(prog="python -m tools.packages", description=__doc__)
    parser.add_argument("do", choices=("make", "try", "sbom", "matrix"))
    parser.add_argument("--python", action="append", metavar="3.N", help="this one only; repeatable")
    parser.add_argument("--pure", action="store_true", help="make or try no compiled wheels")
    parser.add_argument("more", nargs="*", help="of matrix: arguments for pytest, behind --")
    chosen = parser.parse_args()
    asked = chosen.python or pythons.wanted()
    here = pythons.present(asked)
    for series in asked:
        if series not in [one.series for one in here]:
            print(f"Python {series}: not on this machine")
    if not here:
        sys.exit(2)
    try:
        if chosen.do == "make":
            for file in making.make(here, compiled=not chosen.pure):
                print(file.relative_to(pythons.ROOT))
        elif chosen.do == "try":
            sys.exit(trying.tried(here, compiled=not chosen.pure))
        elif chosen.do == "sbom":
            print(sbom.write(here[0]).relative_to(pythons.ROOT))
        else:
            sys.exit(matrix.tested(here, chosen.more))
    except WrongContents as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
