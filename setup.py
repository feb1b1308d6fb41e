"""The description on package indexes: README.md without pictures and links that
lead into the repository, which an index cannot show. All else is in setup.cfg.
"""

import re
from pathlib import Path

from setuptools import setup

LINK = re.compile(r"(!?)\[([^]]*)\]\((?!https?:)([^)]*)\)")


def for_index(readme: str) -> str:
    """Replaces relative links by the names of the files, which the source
    distribution holds.
    """

    def plain(match: re.Match[str]) -> str:
        is_picture, text, target = match.groups()
        if is_picture:
            return ""
        return text if target.startswith("#") else f"{text} (`{target}`)"

    return LINK.sub(plain, readme)


if __name__ == "__main__":
    readme = Path(__file__).with_name("README.md").read_text("utf-8")
    setup(long_description=for_index(readme))
