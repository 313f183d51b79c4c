"""The few lines of Superset 6.1 that we cannot leave as they are. Each must be found, or nothing is installed."""

from pathlib import Path

from minidata.errors import PermanentError

# Files below the package, what they say, what they shall say.
PATCHES = (
    # A tracking pixel on every page of a logged-in user; no setting turns it off once the page is built.
    ("static/assets/*.entry.js", "https://apachesuperset.gateway.scarf.sh/pixel", "/static/assets/images/favicon.png#"),
    # The line under a tile's title that says what it means: a slip in its name keeps it from being shown.
    ("static/assets/*.chunk.js", "N.description_markdown", "N.description_markeddown"),
    # Whole numbers beyond 2^53 arrive digit by digit (as BigInt), but a formatter and every drawn chart fail on them.
    (
        "static/assets/*.entry.js",
        "format(e){return null==e||",
        (
            'format(e){if("bigint"==typeof e)return/^,?(d|~f)$/.test(this.id)?e.toLocaleString("en-US")'
            ":this.formatFunc(Number(e));return null==e||"
        ),
    ),
    (
        "static/assets/*.chunk.js",
        "this.queriesData=u,this.ownState=l,",
        (
            'this.queriesData=["table","big_number_total"].includes(o.viz_type)?u:JSON.parse(JSON.stringify(u,(e,t)=>'
            '"bigint"==typeof t?Number(t):t)),this.ownState=l,'
        ),
    ),
    # Times of day as everybody reads them, not "06 PM"; a period as "2026-11-23 17:00 – 2026-11-23 20:00", where
    # "2026-11-23T17:00:00 ≤ col < 2026-11-23T20:00:00" would stand.
    ("static/assets/*.entry.js", 'minute:"%I:%M",hour:"%I %p",day:"%a %d"', 'minute:"%H:%M",hour:"%H:%M",day:"%a %d"'),
    (
        "static/assets/*.chunk.js",
        '((e,t="col")=>{let ',
        r'((e,t="col")=>{e=e.replace(/T(\d\d:\d\d):\d\d/g," $1");let ',
    ),
    ("static/assets/*.chunk.js", " ≤ ${t} < ", " – "),
    # numpy 2, which Python 3.13 needs, has lost two names.
    ("utils/pandas_postprocessing/utils.py", "np.product", "np.prod"),
    ("models/helpers.py", "np.NaN", "np.nan"),
)


def patch(environment: Path) -> None:
    """Patch Superset in an environment that nobody uses yet.

    Raises:
        PermanentError: if a text is not found: Superset is of another version than the patches.
    """
    [package] = environment.glob("lib/python*/site-packages/superset")
    for pattern, old, new in PATCHES:
        found = [file for file in package.glob(pattern) if old in file.read_text(encoding="utf-8")]
        if not found:
            raise PermanentError(
                f"Superset in {environment} does not hold `{old}` in {pattern}: it is of another version than "
                "operate/embedded/superset/patches.py, which must be brought up to date with the lock."
            )
        for file in found:
            _replace(file, file.read_text(encoding="utf-8").replace(old, new))


def _replace(file: Path, text: str) -> None:
    """Write a file anew instead of into it: it may be a hard link into the installer's cache."""
    new = file.with_name(f"{file.name}.new")
    new.write_text(text, encoding="utf-8")
    new.replace(file)
