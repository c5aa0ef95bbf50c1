"""Every error Landlike raises on purpose; nothing else lives here.

The tree:

    LandlikeError                    asked, found, remedy
    ├── SourceError                  what a person gave cannot become a scene
    │   ├── UnsafeSourceError        it would make the server read, run or request something
    │   ├── SourceTooLargeError      it exceeds a limit on size
    │   ├── ScaleError               nothing tells what its numbers mean
    │   ├── PictureError             its numbers are of 8 bits, and may be of a picture
    │   ├── VectorsError             which column holds its vectors, or which axis comes first, has to be said
    │   └── BandsError               its bands cannot be told apart or are too few
    │       └── SeveralDatesError    it holds several dates, and one was asked for
    ├── SceneError                   no such scene, or its files are damaged
    ├── PatchError                   a patch size, stride or id that does not fit the scene
    ├── EncoderError                 a model that cannot be used: unknown, mismatched, damaged
    │   └── EncoderUnavailableError  a model whose files cannot be had from here
    ├── ClassificationError          a map of classes, its labels or its judged sample that cannot be used
    ├── TrainingError                labelled patches that nothing can be learned from
    ├── StoreError                   features or results that cannot be written or read
    │   ├── BucketError              a bucket that cannot be used now; what it holds is as it was
    │   └── ChangedMeanwhileError    what somebody else wrote at the same moment
    ├── JobError                     background work that failed
    │   └── JobCancelledError        background work that a person stopped
    └── SettingsError                a setting outside its range
"""

from __future__ import annotations


class LandlikeError(Exception):
    """A failure told in one sentence of three parts.

    Attributes:
        asked: what was asked for, such as ``Opening “field.tif”``.
        found: what was found instead, such as ``the file is empty``.
        remedy: what the reader can do, such as ``choose a GeoTIFF with Sentinel-2 bands``.
    """

    def __init__(self, asked: str, found: str, remedy: str) -> None:
        super().__init__(asked, found, remedy)
        self.asked = asked
        self.found = found
        self.remedy = remedy

    def __str__(self) -> str:
        """Return the one sentence a person reads."""
        return f"{self.asked}: {self.found}; {self.remedy}."


OPENING = "Opening a scene"
"""What was asked of a source, where its name is not known."""


class SourceError(LandlikeError):
    """What a person gave cannot become a scene.

    Who reads a source says what was found and what to do; who knows its name says what was asked, by ``about``.
    """

    def __init__(self, asked: str = OPENING, found: str = "", remedy: str = "") -> None:
        super().__init__(asked, found, remedy)

    def about(self, asked: str) -> None:
        """Say what was asked for, unless it is said already."""
        if self.asked == OPENING:
            self.asked = asked
            self.args = (asked, self.found, self.remedy)


class UnsafeSourceError(SourceError):
    """The source would make the server read, run or request something of its choosing."""


class SourceTooLargeError(SourceError):
    """The source exceeds a limit on size."""


class ScaleError(SourceError):
    """Nothing tells what the numbers of a source mean, so that a person has to."""


class PictureError(SourceError):
    """The numbers of a source are of 8 bits: reflectance × 255, or a picture whose reflectance is lost."""


class VectorsError(SourceError):
    """A file of vectors leaves open which column is meant, or which axis comes first, and a person has to say it."""


class BandsError(SourceError):
    """The bands of a source cannot be told apart or are too few."""


class SeveralDatesError(BandsError):
    """A source holds several dates, each of which is a scene.

    Attributes:
        parts: the dates as ``YYYY-MM-DD``, or counted from 0 where an array holds them.
    """

    def __init__(
        self, asked: str = OPENING, found: str = "", remedy: str = "", parts: tuple[str | int, ...] = ()
    ) -> None:
        super().__init__(asked, found, remedy)
        self.parts = parts


class SceneError(LandlikeError):
    """No such scene, or its files are damaged."""


class PatchError(LandlikeError):
    """A patch size, stride or id that does not fit the scene."""


class EncoderError(LandlikeError):
    """A model that cannot be used: unknown, mismatched or damaged."""


class EncoderUnavailableError(EncoderError):
    """A model whose files cannot be had from here."""


class ClassificationError(LandlikeError):
    """A map of classes, its labels or its judged sample that cannot be used."""


class TrainingError(LandlikeError):
    """Labelled patches that nothing can be learned from, or training that went astray."""


class StoreError(LandlikeError):
    """Features or results that cannot be written or read."""


class BucketError(StoreError):
    """A bucket that cannot be read or written now; that says nothing of what it holds."""


class ChangedMeanwhileError(StoreError):
    """What was to be written was written by somebody else since it was read."""


class JobError(LandlikeError):
    """Background work that failed."""


class JobCancelledError(JobError):
    """Background work that a person stopped."""


class SettingsError(LandlikeError):
    """A setting outside its range."""
