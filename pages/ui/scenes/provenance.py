"""The quality record beside a scene: what was read, decided and assumed, in words."""

from __future__ import annotations

import streamlit as st

from core.scenes.quality import Finding, QualityRecord
from pages.ui.common.escape import LONGEST_SENTENCE, safe_label

MARKS = {
    "read": ("Read", "from the file"),
    "decided": ("Decided", "from the values"),
    "assumed": ("Assumed", "nothing said so"),
    "chosen": ("Chosen", "by you"),
    "known": ("Known", "to Landlike beforehand"),
    "warning": ("Mind", "may change results"),
}
STYLE = """
<style>
.record {width: 100%; border-collapse: collapse; font-size: 0.875rem}
.record td {padding: 0.35rem 0.75rem 0.35rem 0; border-bottom: 1px solid rgba(128,128,128,.2); vertical-align: top}
.record .mark {display: inline-block; padding: 0 .5em; border-radius: .8em; white-space: nowrap;
  background: rgba(128,128,128,.16)}
.record .assumed, .record .warning {background: rgba(224,150,30,.28)}
.record .why {opacity: .72}
</style>
"""


def record_html(record: QualityRecord) -> str:
    """Return the record as a table; everything from outside goes through ``safe_label``."""
    return STYLE + f'<table class="record">{"".join(_row(finding) for finding in record.findings)}</table>'


def _row(finding: Finding) -> str:
    mark, meaning = MARKS[finding.basis]
    return (
        f"<tr><td>{safe_label(finding.topic.capitalize())}</td><td>{safe_label(finding.value, LONGEST_SENTENCE)}</td>"
        f'<td><span class="mark {finding.basis}" title="{meaning}">{mark}</span></td>'
        f'<td class="why">{safe_label(finding.because, LONGEST_SENTENCE)}</td></tr>'
    )


def show_record(record: QualityRecord) -> None:
    """Draw the record."""
    st.html(record_html(record))
