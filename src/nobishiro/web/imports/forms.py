"""What pages of the import wizard send."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from nobishiro.pipelines.upload_reading import UploadOptions
from nobishiro.web.imports.selectors import DELIMITERS, ENCODINGS

_FOUND = ("", _("as found"))


class ReadingForm(forms.Form):
    """How a file is to be read."""

    encoding = forms.ChoiceField(label=_("Characters"), required=False, choices=[_FOUND, *ENCODINGS])
    delimiter = forms.ChoiceField(
        label=_("Delimiter"),
        required=False,
        choices=[_FOUND, ("comma", _("comma")), ("tab", _("tab")), ("semicolon", _("semicolon")), ("pipe", "|")],
    )
    sheet = forms.ChoiceField(label=_("Sheet"), required=False)
    header_row = forms.IntegerField(label=_("Line of the header"), required=False, min_value=1, max_value=10_000)
    layout = forms.ChoiceField(
        label=_("Shape"),
        required=False,
        choices=[_FOUND, ("list", _("one record a row")), ("cross", _("months across the top"))],
    )
    year = forms.RegexField(
        label=_("Year of the months"),
        required=False,
        regex=r"^(19|20)\d{2}年度?$",
        help_text=_("such as 2025年度 or 2025年"),
    )
    unit = forms.ChoiceField(
        label=_("Unit of the amounts"),
        required=False,
        choices=[_FOUND, ("千円", "千円"), ("百万円", "百万円")],
    )

    def __init__(self, *arguments: object, sheets: tuple[str, ...] = (), **named: object) -> None:
        super().__init__(*arguments, **named)  # type: ignore[arg-type]
        sheet = self.fields["sheet"]
        assert isinstance(sheet, forms.ChoiceField)
        sheet.choices = [_FOUND, *((name, name) for name in sheets)]

    def options(self) -> UploadOptions:
        """What was said."""
        said = self.cleaned_data
        return UploadOptions(
            encoding=said["encoding"],
            delimiter=dict(DELIMITERS).get(said["delimiter"], ""),
            header_row=said["header_row"] or 0,
            sheet=said["sheet"],
            layout=said["layout"],
            year=said["year"],
            unit=said["unit"],
        )

    @staticmethod
    def initial_of(options: dict[str, object]) -> dict[str, object]:
        """The form's values for kept options."""
        names = {character: name for name, character in DELIMITERS}
        return {
            **options,
            "delimiter": names.get(str(options.get("delimiter", "")), ""),
            "header_row": options.get("header_row") or None,
        }


class PasteForm(forms.Form):
    """Cells copied from a spreadsheet."""

    text = forms.CharField(
        label=_("Cells, with the header in the first row"),
        max_length=2_000_000,
        widget=forms.Textarea(attrs={"rows": 8}),
        strip=False,
    )


class ColumnsForm(forms.Form):
    """What holds for all columns."""

    tax = forms.ChoiceField(
        label=_("Tax"),
        required=False,
        choices=[("", _("as the company's setting")), ("excluded", _("without tax")), ("included", _("with tax"))],
    )
    date_order = forms.ChoiceField(
        label=_("Order of day and month"),
        required=False,
        choices=[
            ("", _("as found")),
            ("ymd", _("year, month, day")),
            ("mdy", _("month, day, year")),
            ("dmy", _("day, month, year")),
        ],
    )
    save_as = forms.CharField(
        label=_("Keep these columns under a name"),
        required=False,
        max_length=60,
        help_text=_("The next file with the same headers is read the same way."),
    )
