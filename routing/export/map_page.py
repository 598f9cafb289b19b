"""``map.html``: one file with MapLibre GL JS, the page's own code and the plan inside; it needs no network.

A content security policy lets only the page's own scripts run, known by their hash, and no request leave the page, so a
site's name can neither run as code nor call out.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping
from functools import cache
from html import escape
from importlib.resources import files
from importlib.resources.abc import Traversable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from geodata.errors import UnavailableError
from routing.export.wording import all_labels, wording_of

_SCRIPTS = ("page.js", "text.js", "model.js", "layers.js", "labels.js", "panel.js", "clock.js", "main.js")
"""The page's own code, in order of dependence; one script, so that the files share a scope."""


def map_page(data: Mapping[str, Any], lang: str) -> bytes:
    """Return the map page that shows the data of `routing.export.map_data.map_data`, opening in the language."""
    folder = map_folder()
    return filled_page(
        (folder / "page.html").read_text(encoding="utf-8"),
        title=f"{data['meta']['name']} · {data['meta']['date']} · {wording_of(lang)('plan')}",
        lang=lang,
        style=(folder / "page.css").read_text(encoding="utf-8"),
        script="\n".join((folder / name).read_text(encoding="utf-8") for name in _SCRIPTS),
        content={"lang": lang, "labels": all_labels(), **data},
    )


def map_folder() -> Traversable:
    """Return the folder of the page's parts; ``page.js`` is what every map page of ours shares."""
    return files("routing.export") / "data" / "map"


def filled_page(template: str, *, title: str, lang: str, style: str, script: str, content: Mapping[str, Any]) -> bytes:
    """Return a map page: a template whose ``%%NAME%%`` are filled in, with MapLibre GL JS and a policy by hashes."""
    library, library_style = maplibre_sources()
    own = f'(function () {{\n"use strict";\n{script}\n}})();'
    parts = {
        "LANG": "zh-CN" if lang == "zh" else "en",
        "TITLE": escape(title),
        "POLICY": escape(content_policy(library, own)),
        "LIBRARY_STYLE": library_style,
        "STYLE": style,
        "DATA": script_json(content),
        "LIBRARY": library,
        "SCRIPT": own,
    }
    pieces = template.split("%%")
    return "".join(parts[piece] if k % 2 else piece for k, piece in enumerate(pieces)).encode()


def script_json(content: Mapping[str, Any]) -> str:
    r"""Return JSON that may stand inside a script element: ``<``, ``>`` and ``&`` are written ``\u003c`` and so on."""
    text = json.dumps(content, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    for char in "<>&\u2028\u2029":
        text = text.replace(char, f"\\u{ord(char):04x}")
    return text


@cache
def maplibre_sources() -> tuple[str, str]:
    """Return script and style sheet of MapLibre GL JS as the package ``maplibre`` ships them."""
    folder = _package_folder("maplibre") / "srcjs"
    script = (folder / "maplibre-gl.js").read_text(encoding="utf-8")
    script = script.split("//# sourceMappingURL=", maxsplit=1)[0].replace("</script", "<\\/script")
    return script, (folder / "maplibre-gl.css").read_text(encoding="utf-8")


def _package_folder(name: str) -> Path:
    """Return where a package lies without running it: `maplibre` would import notebook parts we have no use for."""
    spec = find_spec(name)
    if spec is None or spec.origin is None:
        msg = f"the package {name} is not installed"
        raise UnavailableError(msg)
    return Path(spec.origin).parent


def content_policy(*scripts: str) -> str:
    """Return the content security policy that lets these scripts run and nothing leave the page."""
    digests = [hashlib.sha256(text.encode()).digest() for text in scripts]
    hashes = " ".join(f"'sha256-{base64.b64encode(digest).decode()}'" for digest in digests)
    return (
        f"default-src 'none'; script-src {hashes}; style-src 'unsafe-inline'; img-src data: blob:; worker-src blob:; "
        "child-src blob:; connect-src data: blob:; base-uri 'none'; form-action 'none'"
    )
