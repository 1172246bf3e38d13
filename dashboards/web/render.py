"""Templates: one environment per language, everything escaped, no markup made elsewhere."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from dashboards.web.files import assets_version, web_file
from dashboards.web.language import LANGUAGES, NAMES, Language, catalog
from dashboards.web.sparkline import HEIGHT, WIDTH


@dataclass(frozen=True, slots=True)
class Frame:
    """What every template needs: the language, and what stands before every path of ours."""

    language: Language
    prefix: str

    def render(self, template: str, **context: object) -> str:
        """Fill in a template."""
        return _environment(self.language).get_template(template).render(frame=self, **context)

    def say(self, text: str) -> str:
        """Translate a text that `msg` marked."""
        return catalog(self.language).gettext(text)

    def url(self, path: str) -> str:
        """Return the address of a path of ours, behind the prefix of a proxy."""
        return f"{self.prefix}{path}"

    def asset(self, name: str) -> str:
        """Return the address of a static file; it changes when the built files do."""
        return self.url(f"/static/{name}?v={assets_version()}")

    @property
    def version(self) -> str:
        """The version of the built files that this page uses."""
        return assets_version()

    @property
    def others(self) -> dict[Language, str]:
        """The other languages, each by its own name."""
        return {one: NAMES[one] for one in LANGUAGES if one != self.language}


@cache
def _environment(language: Language) -> Environment:
    environment = Environment(
        loader=FileSystemLoader(web_file("templates")),
        autoescape=True,
        auto_reload=False,  # asking the disk after every part of every card is a tenth of the desk
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n"],
    )
    environment.globals.update(line_width=WIDTH, line_height=HEIGHT)
    found = catalog(language)
    install = getattr(environment, "install_gettext_callables")  # noqa: B009 - added by the extension
    install(found.gettext, found.ngettext, newstyle=True)
    return environment
