"""A manifest against itself: its schemas compile, and its examples satisfy them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from plugins.manifest_reader import Problems
from plugins.manifest_types import Example, Manifest
from plugins.schemas import SchemaError, Validator, compile_schema


@dataclass(frozen=True, slots=True)
class CompiledSchemas:
    """Validators by place; a schema that was refused is missing."""

    inputs: Mapping[str, Validator]
    outputs: Mapping[str, Validator]
    config: Validator | None


def compile_schemas(manifest: Manifest, problems: Problems) -> CompiledSchemas:
    """Compile every schema, adding a problem for each that is refused."""
    inputs, outputs = {}, {}
    for name, method in manifest.methods.items():
        place = f"methods.{name}"
        if validator := _compile(method.input_schema, f"{place}.input_schema", problems):
            inputs[name] = validator
        if validator := _compile(method.output_schema, f"{place}.output_schema", problems):
            outputs[name] = validator
    config = _compile(manifest.config.schema, "config.schema", problems)
    return CompiledSchemas(inputs, outputs, config)


def check_examples(manifest: Manifest, schemas: CompiledSchemas, problems: Problems) -> None:
    """An example that its own schemas refuse would fail every deployment's probe."""
    for name, method in manifest.methods.items():
        for index, example in enumerate(method.examples):
            place = f"methods.{name}.examples.{index}"
            _apply(schemas.inputs.get(name), example.parameters, f"{place}.parameters", problems)
            if example.result is not None:
                _apply(schemas.outputs.get(name), example.result, f"{place}.result", problems)
            if example.expect is not None:
                _compile(example.expect, f"{place}.expect", problems)
            if example.config:
                _apply(schemas.config, example.config, f"{place}.config", problems)
            _check_secrets(manifest, example, place, problems)


def _check_secrets(manifest: Manifest, example: Example, place: str, problems: Problems) -> None:
    for name in example.secrets:
        secret = manifest.secrets.get(name)
        if secret is None or secret.mode != "value":
            reason = 'is not declared in [secrets] with mode = "value"'
            problems.add(f"{place}.secrets.{name}", reason)


def _compile(schema: Mapping[str, Any], where: str, problems: Problems) -> Validator | None:
    try:
        return compile_schema(schema, where)
    except SchemaError as error:
        for path, messages in error.fields.items():
            for message in messages:
                problems.add(path, message)
    return None


def _apply(validator: Validator | None, value: Any, where: str, problems: Problems) -> None:
    for path, message in validator.validate(value) if validator else ():
        problems.add(f"{where}.{path}" if path else where, message)
