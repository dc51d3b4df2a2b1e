"""A submission's csv as text: every cell as it stands in the file, nothing converted."""

import csv
import io
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from core.errors import SubmissionError

HEADER = ["ImageID", "ans"]
"""The organisers' columns."""

_BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True)
class TextTable:
    """Header and rows of a csv file.

    Attributes:
        header: cells of the first line.
        rows: cells of each further line; blank lines at the end are left out.
        has_bom: the file starts with a byte order mark.
        has_crlf: lines end as on Windows.
        is_plain: no cell is quoted, and no line ends otherwise.
    """

    header: list[str]
    rows: list[list[str]]
    has_bom: bool = False
    has_crlf: bool = False
    is_plain: bool = True

    def column(self, name: str) -> list[str]:
        """Cells of a column; empty text where a row is too short."""
        place = self.header.index(name)
        return [row[place] if place < len(row) else "" for row in self.rows]


def read_text_table(source: Path | bytes | pd.DataFrame, *, name: str = "the submission") -> TextTable:
    """The table in a file, in a file's bytes, or as a frame would be written without its index.

    Args:
        name: of the bytes, told in errors.
    Raises:
        SubmissionError: no such file, not UTF-8 text, or empty.
    """
    if isinstance(source, pd.DataFrame):
        cells = [[str(value) for value in source.iloc[:, place].tolist()] for place in range(source.shape[1])]
        return TextTable([str(name) for name in source.columns], [list(row) for row in zip(*cells, strict=True)])
    name = name if isinstance(source, bytes) else str(source)
    try:
        content = source if isinstance(source, bytes) else source.read_bytes()
        text = content.removeprefix(_BOM).decode("utf-8")
        lines = list(csv.reader(io.StringIO(text, newline=""), strict=True))
    except FileNotFoundError:
        raise SubmissionError(f"{name} does not exist; check the path") from None
    except OSError as error:
        raise SubmissionError(f"{name} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise SubmissionError(f"{name} is {_what_it_is(content, error.start)}; export it as csv in UTF-8") from None
    except csv.Error as error:
        raise SubmissionError(
            f"{name} is no whole csv file ({error}): a quote is never closed, or it is cut off; export it again"
        ) from None
    while lines and not any(lines[-1]):
        lines.pop()
    if not lines:
        raise SubmissionError(f"{name} is empty; export it again")
    has_crlf = b"\r\n" in content
    is_plain = text.replace("\r\n", "\n").rstrip("\n") == "\n".join(map(",".join, lines))
    return TextTable(lines[0], lines[1:], content.startswith(_BOM), has_crlf, is_plain)


def _what_it_is(content: bytes, place: int) -> str:
    """Bytes that are no UTF-8, in words."""
    if content.startswith(b"PK"):
        return "a spreadsheet's workbook or a zip file, not a csv file"
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "not in UTF-8 but in UTF-16, as spreadsheets save Unicode text"
    line = content.count(b"\n", 0, place) + 1
    return f"not in UTF-8 (byte 0x{content[place]:02x} in line {line:,}), perhaps in cp949 or Latin-1"
