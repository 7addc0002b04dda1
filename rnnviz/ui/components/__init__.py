"""Interactive views of our own: Python here, JavaScript and CSS under assets/, no build step."""

import tomllib
from pathlib import Path
from typing import Any

import streamlit as st
from streamlit.components.v2.get_bidi_component_manager import get_bidi_component_manager
from streamlit.components.v2.manifest_scanner import ComponentConfig, ComponentManifest

PACKAGE = Path(__file__).resolve().parents[2]


def _declared() -> ComponentManifest:
    """The components that rnnviz/pyproject.toml declares."""
    declared = tomllib.loads((PACKAGE / "pyproject.toml").read_text(encoding="utf-8"))
    components = declared["tool"]["streamlit"]["component"]["components"]
    return ComponentManifest(
        name=declared["project"]["name"],
        version="0",
        components=[ComponentConfig.from_dict(component) for component in components],
    )


def mount(name: str, *, css: bool = False, **arguments: Any) -> Any:
    """Put the component `name` here; its files are assets/`name`.js and, with css, .css.

    The other arguments are those of a Streamlit component: key, data, height, on_..._change. Its
    styles are not isolated, so class names begin with "rnnviz-". Returns Streamlit's result.
    """
    full_name = f"rnnviz.{name}"
    manager = get_bidi_component_manager()
    if manager.get_component_asset_root(full_name) is None:
        # Streamlit looks for components in installed packages only; this is a plain checkout.
        manager.register_from_manifest(_declared(), PACKAGE)
    view = st.components.v2.component(
        full_name,
        js=f"{name}.js",
        css=f"{name}.css" if css else None,
        isolate_styles=False,
    )
    return view(**arguments)
