"""Checks the packages of an environment for known vulnerabilities.

    python .ci/audit.py ENVIRONMENT [--may-lack-data]

Fails if a package is vulnerable or could not be looked up. With
--may-lack-data, failed lookups are only printed.
"""

import argparse
import json
import subprocess
import sys
from pathlib import Path


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("environment", type=Path)
    parser.add_argument("--may-lack-data", action="store_true")
    args = parser.parse_args()
    packages = look_up(args.environment)
    checked = [package for package in packages if "vulns" in package]
    vulnerable = [package for package in checked if package["vulns"]]
    for package in vulnerable:
        for found in package["vulns"]:
            fixed = ", ".join(found["fix_versions"]) or "no version"
            print(
                f"VULNERABLE: {package['name']} {package['version']}: "
                f"{found['id']}, fixed in {fixed}"
            )
    lacking = [p["name"] for p in packages if "vulns" not in p]
    if lacking:
        print(
            f"NOT AUDITED, because they could not be looked up: "
            f"{', '.join(lacking)}"
        )
    print(
        f"{len(checked)} of {len(packages)} packages were looked up, "
        f"{len(vulnerable)} are vulnerable"
    )
    if vulnerable or (lacking and not args.may_lack_data):
        sys.exit(1)


def look_up(environment: Path) -> list[dict]:
    """The packages in pip-audit's JSON report, or only their names if it cannot
    reach the database."""
    (folder,) = environment.glob("lib/python*/site-packages")
    audit = Path(sys.executable).with_name("pip-audit")
    command = [audit, "--path", folder, "--format", "json"]
    done = subprocess.run(
        [*command, "--progress-spinner", "off"], capture_output=True, text=True
    )
    try:
        packages = json.loads(done.stdout)["dependencies"]
    except (ValueError, KeyError):
        print(f"pip-audit failed: {done.stderr.strip().splitlines()[-1]}")
        names = sorted(p.name for p in folder.glob("*.dist-info"))
        return [{"name": name.split("-")[0]} for name in names]
    # This package itself is not in the database.
    return [p for p in packages if p["name"] != "symgnn-pyg"]


if __name__ == "__main__":
    main()
