"""Layouts are found again by their names in addresses."""

from __future__ import annotations

import pytest

from core.projection.address import layout_name, named_layout
from core.projection.settings import ProjectionSettings


@pytest.mark.parametrize(
    ("settings", "name"),
    [
        (ProjectionSettings(), "umap-15-0.1000-cosine-42"),
        (ProjectionSettings(method="umap", metric="euclidean", seed=7), "umaplearn-15-0.1000-euclidean-7"),
        (ProjectionSettings(method="densmap", n_neighbors=200, min_dist=0.05), "densmap-200-0.0500-cosine-42"),
        (ProjectionSettings(method="supervised", labels="ab12"), "supervised-15-0.1000-cosine-42-ab12"),
    ],
)
def test_a_name_leads_back_to_its_settings(settings: ProjectionSettings, name: str) -> None:
    assert layout_name(settings) == name
    assert named_layout(name) == settings


@pytest.mark.parametrize(
    "name",
    ["pca", "tsne-15-0.1000-cosine-42", "umap-500-0.1000-cosine-42", "umap-5-9.9-cosine-42", "umap-5-0.1-hamming-42",
     "umap-15-0.1000-cosine-42-ab12", "supervised-15-0.1000-cosine-42", "umap-15-0.1000-cosine"],
)  # fmt: skip
def test_what_cannot_be_a_layout_is_none(name: str) -> None:
    assert named_layout(name) is None
