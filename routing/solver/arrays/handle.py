"""Many arrays handed to compiled loops as one pointer.

Numba passes a tuple of arrays by all their addresses, shapes and strides: with eighty arrays, every call of a short
function moves six hundred numbers, and compiling sixty such functions takes minutes. A handle is the address of a list
of these numbers instead; inside a compiled function its fields read like those of the named tuple it was made from.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numba
import numpy as np
from llvmlite import ir
from numba.core import cgutils, config, types
from numba.core.typing.templates import AttributeTemplate
from numba.extending import (
    NativeValue,
    infer_getattr,
    lower_getattr_generic,
    models,
    register_model,
    typeof_impl,
    unbox,
)
from numba.np.arrayobj import make_array, populate_array

_WORD = ir.IntType(64)


class Handle:
    """A named tuple of arrays for compiled loops; it must live as long as they run."""

    def __init__(self, arrays: Any) -> None:
        self.arrays = arrays
        words: list[int] = []
        for array in arrays:
            words += [array.ctypes.data, *array.shape, *array.strides]
        self._words = np.array(words, dtype=np.int64)
        self.address = self._words.ctypes.data
        """Of the numbers: by array its address, shape and strides."""
        fields = zip(arrays._fields, arrays, strict=True)
        self.numba_type = HandleType(tuple((name, numba.typeof(array)) for name, array in fields))


def handle(arrays: NamedTuple) -> Any:
    """Return what compiled functions are to be given for a named tuple of arrays: itself where nothing is compiled."""
    return arrays if config.DISABLE_JIT else Handle(arrays)  # type: ignore[attr-defined]


class HandleType(types.Type):
    """What numba knows of a handle: names and types of the arrays."""

    def __init__(self, fields: tuple[tuple[str, Any], ...]) -> None:
        self.fields = fields
        super().__init__(name="Handle(" + ", ".join(f"{name}: {kind}" for name, kind in fields) + ")")

    def field(self, name: str) -> Any:
        """Return the type of an array, None where there is none of the name."""
        return dict(self.fields).get(name)

    def offset(self, name: str) -> int:
        """Return where among the numbers those of an array begin."""
        at = 0
        for other, kind in self.fields:
            if other == name:
                break
            at += 1 + 2 * kind.ndim
        return at


register_model(HandleType)(models.OpaqueModel)


@typeof_impl.register(Handle)
def _typeof(value: Handle, _context: Any) -> HandleType:
    return value.numba_type


@unbox(HandleType)  # type: ignore[untyped-decorator]
def _unbox(_kind: HandleType, value: Any, context: Any) -> NativeValue:
    address = context.pyapi.object_getattr_string(value, "address")
    pointer = context.pyapi.long_as_voidptr(address)
    context.pyapi.decref(address)
    return NativeValue(pointer, is_error=cgutils.is_not_null(context.builder, context.pyapi.err_occurred()))


@infer_getattr
class _Fields(AttributeTemplate):
    key = HandleType

    def generic_resolve(self, kind: HandleType, name: str) -> Any:  # type: ignore[override] # None to numba
        return kind.field(name)


@lower_getattr_generic(HandleType)  # type: ignore[untyped-decorator]
def _read(context: Any, builder: Any, kind: HandleType, value: Any, name: str) -> Any:
    """Make the array of a field from its numbers, which never change while a function runs."""
    array_type = kind.field(name)
    words = builder.bitcast(value, _WORD.as_pointer())
    constant = builder.module.add_metadata([])

    def word(k: int) -> Any:
        loaded = builder.load(builder.gep(words, [ir.Constant(_WORD, kind.offset(name) + k)]))
        loaded.set_metadata("invariant.load", constant)
        return loaded

    array = make_array(array_type)(context, builder)
    item = context.get_abi_sizeof(context.get_data_type(array_type.dtype))
    populate_array(
        array,
        data=builder.inttoptr(word(0), array.data.type),
        shape=[word(1 + k) for k in range(array_type.ndim)],
        strides=[word(1 + array_type.ndim + k) for k in range(array_type.ndim)],
        itemsize=ir.Constant(_WORD, item),
        meminfo=None,
    )
    return array._getvalue()  # noqa: SLF001 # as numba's own code does
