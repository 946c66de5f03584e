"""Why an artifact is refused."""


class ArtifactError(Exception):
    """``code`` is stable and documented; the message names the entry and the way out."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


def shown(name: str) -> str:
    """A stranger's file name, safe and short enough for a message."""
    text = name if len(name) <= 120 else name[:117] + "..."
    return ascii(text)


def malformed_zip(what: str) -> ArtifactError:
    return ArtifactError("malformed_zip", f"The zip is malformed: {what}. Pack it again.")


def hidden_bytes(where: str) -> ArtifactError:
    return ArtifactError("hidden_bytes", f"The zip has bytes {where}: pack it again.")


def overlapping(name: str, what: str) -> ArtifactError:
    return ArtifactError("overlapping_entries", f"Entry {name} {what}: pack it again.")


def split_over_disks() -> ArtifactError:
    return ArtifactError("multi_disk", "The zip is split over several disks: pack one file.")


def zip64_used(what: str) -> ArtifactError:
    return ArtifactError(
        "zip64", f"{what} uses zip64, which an artifact never needs: pack it again without."
    )


def headers_differ(name: str) -> ArtifactError:
    return ArtifactError(
        "header_mismatch",
        f"The local header of entry {name} differs from the central directory: pack it again.",
    )
