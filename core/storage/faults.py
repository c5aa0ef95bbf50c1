"""What a bucket says of a failure, as a sentence of ours, and whether it may pass."""

from __future__ import annotations

import re

_STATUS = re.compile(r"status code: (\d{3})")
_PASSING = frozenset({408, 425, 429, 500, 502, 503, 504})
_BUSY = frozenset({429, 503})
_NO_KEYS = ("169.254.169.254", "169.254.170.2", "metadata.google.internal", "missing access key", "missing secret")
"""Where the library looks for credentials of a machine in a cloud, when the environment holds none."""

_UNHEARD = re.compile(r"kind: (Connect|Timeout|Request|Decode|Interrupted)\b")

_CREDENTIALS = {
    "s3": "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
    "az": "AZURE_STORAGE_ACCOUNT_NAME and AZURE_STORAGE_ACCOUNT_KEY",
    "gs": "GOOGLE_APPLICATION_CREDENTIALS, the path of a key file",
}
"""What names a kind of bucket's credentials, by how its address begins."""

NO_BUCKET = ("there is no such bucket", "check its name, or make it first")
"""What was found and what to do, where there is none of that name."""

_SAID = {
    "nosuchbucket": NO_BUCKET,
    "containernotfound": NO_BUCKET,
    "bucket does not exist": NO_BUCKET,
    "builder error": ("its endpoint is no address", "mend it in the environment, such as AWS_ENDPOINT_URL"),
    "account must be specified": ("the environment does not say which account", "set AZURE_STORAGE_ACCOUNT_NAME"),
}
"""Words of servers and of the library, and what they come to."""

_DENIED = ("the bucket refuses it", "give these credentials the right to list, read and write there")
_UNKNOWN = ("the bucket does not know these credentials", "check those in the environment")
_LACKING = ("the bucket lacks what is asked of it (it answers 501)", "use one that has conditional writes")
_UNREACHED = ("the bucket cannot be reached", "check its endpoint and the network, then start again")
_ABSENT = ("", "")
_OF_STATUS = {401: _UNKNOWN, 403: _DENIED, 501: _LACKING}
_OF_KINDS = {
    "FileNotFoundError": _ABSENT,
    "NotFoundError": _ABSENT,
    "PermissionError": _DENIED,
    "PermissionDeniedError": _DENIED,
    "UnauthenticatedError": _UNKNOWN,
}
"""By the names of what the library raises, for it is imported where it is used."""


_SENTENCE = re.compile(r": (?:the bucket (?!ignores)|there is no such bucket|the environment )")


def tells_of_bucket(sentence: str) -> bool:
    """Tell whether the sentence of a failure is of a bucket that could not be used, so that trying again may do."""
    return _SENTENCE.search(sentence) is not None


def status_of(error: Exception) -> int | None:
    """Return the number of an HTTP answer that a failure tells of; None where there was no answer."""
    found = _STATUS.search(str(error))
    return int(found[1]) if found else None


def passing(error: Exception) -> bool:
    """Tell whether a failure may be gone at another try: a server that is busy or was not heard."""
    status, words = status_of(error), str(error).lower()
    if _lacks_keys(words):
        return False
    return status in _PASSING if status is not None else _UNHEARD.search(str(error)) is not None


def _lacks_keys(words: str) -> bool:
    return any(sign in words for sign in _NO_KEYS)


def opening_fault(error: Exception, scheme: str) -> tuple[str, str]:
    """Return what was found and what to do, of a bucket of which nothing was asked yet: it is the environment."""
    found, remedy = bucket_fault(error, scheme)
    if found == _UNREACHED[0]:
        return "what the environment says of its credentials cannot be read", f"check {_CREDENTIALS[scheme]}"
    return found, remedy


def bucket_fault(error: Exception, scheme: str) -> tuple[str, str]:
    """Return what was found and what to do; two empty texts where all that is told is that an object is not there.

    Nothing of the library's own words is in there: they may quote addresses that are signed.
    """
    words, kept = str(error).lower(), "start again later, what is stored so far is kept"
    if _lacks_keys(words):
        return "the environment holds no credentials for it", f"set {_CREDENTIALS[scheme]}"
    told = next((sentence for sign, sentence in _SAID.items() if sign in words), None)
    if told is None:
        told = _OF_KINDS.get(type(error).__name__) or _OF_STATUS.get(status_of(error) or 0)
    if told is None and (status := status_of(error)):
        told = (
            f"the bucket {'is too busy (it answers' if status in _BUSY else 'does not work (it answers'} {status})",
            kept,
        )
    heard = _UNHEARD.search(str(error))
    if told is None and heard is not None and heard[1] == "Timeout":
        told = ("the bucket does not answer in time", "check the network, then start again")
    return told or _UNREACHED
