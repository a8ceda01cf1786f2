"""Reading perf's reports, and the table made of them."""

from benchmarks.report.table import objects
from benchmarks.studies.profile import parsed

REPORT = """# To display the perf.data header info, please use --header/--header-only options.
#
# Overhead  Shared Object
# ........  ...............................................
#
    37.04%  python3.11
    32.08%  [kernel.kallsyms]
    14.72%  tidegate__mypyc.cpython-311-x86_64-linux-gnu.so
     6.75%  libc.so.6
     0.74%  [vdso]
     0.29%  _crc32c.cpython-311-x86_64-linux-gnu.so
     0.01%  libm.so.6


#
# (Tip: To set sample time separation other than 100ms with --sort time use --time-quantum)
"""


def test_objects_have_short_names_and_the_small_ones_are_one() -> None:
    found = parsed(REPORT)
    assert found.pop("others") == 0.3
    assert found == {"python3.11": 37.04, "kernel": 32.08, "tidegate__mypyc": 14.72, "libc.so.6": 6.75, "vdso": 0.74}


def test_no_samples_are_no_shares() -> None:
    assert parsed("") == {}


def test_the_dearest_comes_first_and_the_rest_last() -> None:
    told = [
        {"us": 50.0, "objects": {"others": 30.0, "kernel": 15.0, "python3.11": 5.0}},
        {"us": 22.0, "objects": {"kernel": 2.0, "nginx": 20.0}},
    ]
    assert objects(told) == [
        ("together", ["50.0", "22.0"]),
        ("nginx", ["–", "20.0"]),
        ("kernel", ["15.0", "2.0"]),
        ("python3.11", ["5.0", "–"]),
        ("others", ["30.0", "–"]),
    ]
