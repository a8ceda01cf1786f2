"""What comes with the gateway, as a CycloneDX list (ECMA-424) with licences: the lock, installed, read by cyclonedx-py.

Every component is one that the lock pins, with the hashes of the files that the lock allows; its licence is what its
own metadata say. The list is the same each time it is made of the same lock on the same kind of machine.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any, Final

from tools.packages.making import DIST
from tools.packages.pythons import LOCKS, PLACE, ROOT, Python, environment, run
from tools.packages.version import version

SPEC: Final = "1.6"
READ: Final = (("--spec-version", SPEC), ("--output-format", "JSON"), ("--output-reproducible",), ("--validate",))
PACKAGING: Final = frozenset({"pip", "setuptools", "wheel"})
"""What a new environment holds before anything is installed in it."""
VALIDATE: Final = """
import sys
from pathlib import Path
from cyclonedx.schema import OutputFormat, SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
wrong = JsonStrictValidator(SchemaVersion.V1_6).validate_str(Path(sys.argv[1]).read_text(encoding="utf-8"))
sys.exit(str(wrong) if wrong else 0)
"""

Bill = dict[str, Any]


class Unlicensed(Exception):
    """Components whose metadata do not say under which licence they come; the message names them."""


def write(python: Python) -> Path:
    """Make the list, hold it to its schema, and keep it in dist/. Raises ``Unlicensed`` and ``CalledProcessError``."""
    tools = environment(python, "packages")
    read = [word for option in READ for word in option]
    about = ("--pyproject", str(ROOT / "pyproject.toml"), "--mc-type", "application")
    installed, locked = PLACE / "installed.cdx.json", PLACE / "locked.cdx.json"
    command = (str(tools.with_name("cyclonedx-py")),)
    run(*command, "environment", str(environment(python, "run", "listed")), *about, *read, "-o", str(installed))
    run(*command, "requirements", str(LOCKS / "run.lock"), *read, "-o", str(locked))
    bill = joined(*(json.loads(file.read_text(encoding="utf-8")) for file in (installed, locked)), version())
    if mute := [one["name"] for one in bill["components"] if not one.get("licenses")]:
        raise Unlicensed(f"no licence is told of {', '.join(mute)}")
    DIST.mkdir(exist_ok=True)
    made = DIST / f"tidegate-{version()}.cdx.json"
    made.write_text(json.dumps(bill, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    run(str(tools), "-c", VALIDATE, str(made))
    return made


def joined(installed: Bill, locked: Bill, of: str) -> Bill:
    """What is installed, with the hashes of the lock, as the components of version ``of`` of the gateway."""
    pinned = {_named(one): one for one in locked["components"]}
    extra = {one["bom-ref"] for one in installed["components"] if one["name"] in PACKAGING}
    components = []
    for one in installed["components"]:
        if one["bom-ref"] in extra:
            continue
        files = [
            {
                "type": "distribution",
                "url": found["url"],
                "comment": "files that the lock allows",
                "hashes": found["hashes"],
            }
            for found in pinned[_named(one)].get("externalReferences", ())
            if found.get("hashes")
        ]
        references = [found for found in one.get("externalReferences", ()) if found["url"].startswith("http")]
        components.append({**one, "externalReferences": [*references, *files]})
    depends = [one for one in installed["dependencies"] if one["ref"] not in extra]
    about = installed["metadata"]["component"] | {"version": of}
    return {
        **installed,
        "metadata": installed["metadata"] | {"component": about},
        "components": components,
        "dependencies": depends,
    }


def _named(component: Bill) -> tuple[str, str]:
    """As package indexes compare names (PEP 503), and the version."""
    return re.sub(r"[-_.]+", "-", component["name"]).lower(), component["version"]
