"""Names for places that do not exist: plausible two- and three-character names with their pinyin."""

from __future__ import annotations

import numpy as np

_FIRST = (
    ("大", "Da"), ("小", "Xiao"), ("上", "Shang"), ("下", "Xia"), ("白", "Bai"), ("黑", "Hei"), ("青", "Qing"),
    ("红", "Hong"), ("石", "Shi"), ("龙", "Long"), ("马", "Ma"), ("松", "Song"), ("竹", "Zhu"), ("梨", "Li"),
    ("茶", "Cha"), ("云", "Yun"), ("水", "Shui"), ("沙", "Sha"), ("岩", "Yan"), ("花", "Hua"), ("新", "Xin"),
    ("老", "Lao"), ("杨", "Yang"), ("桃", "Tao"), ("金", "Jin"), ("银", "Yin"), ("双", "Shuang"), ("三", "San"),
    ("五", "Wu"), ("七", "Qi"), ("羊", "Yang"), ("牛", "Niu"), ("鹰", "Ying"), ("凤", "Feng"), ("清", "Qing"),
    ("寒", "Han"), ("高", "Gao"), ("长", "Chang"), ("平", "Ping"), ("麻", "Ma"), ("椒", "Jiao"), ("桐", "Tong"),
    ("柏", "Bai"), ("枫", "Feng"),
)  # fmt: skip
_MIDDLE = (
    ("树", "shu"), ("家", "jia"), ("子", "zi"), ("木", "mu"), ("竹", "zhu"), ("石", "shi"), ("水", "shui"),
    ("头", "tou"), ("口", "kou"), ("角", "jiao"), ("背", "bei"), ("底", "di"), ("尾", "wei"), ("门", "men"),
)  # fmt: skip
_LAST = (
    ("坪", "ping"), ("沟", "gou"), ("湾", "wan"), ("寨", "zhai"), ("岭", "ling"), ("坝", "ba"), ("田", "tian"),
    ("塘", "tang"), ("箐", "qing"), ("坡", "po"), ("岩", "yan"), ("井", "jing"), ("河", "he"), ("场", "chang"),
    ("垭", "ya"), ("槽", "cao"), ("洞", "dong"), ("关", "guan"), ("桥", "qiao"), ("林", "lin"), ("坳", "ao"),
    ("冲", "chong"), ("坎", "kan"), ("滩", "tan"),
)  # fmt: skip


def place_names(count: int, rng: np.random.Generator) -> list[tuple[str, str]]:
    """Return that many different names as (Chinese, pinyin) pairs; names of two characters come first.

    Raises
    ------
    ValueError
        If more names are wanted than there are (about 16,000).
    """
    short = [(first, last) for first in _FIRST for last in _LAST]
    long = [(first, middle, last) for first in _FIRST for middle in _MIDDLE for last in _LAST]
    if count > len(short) + len(long):
        msg = f"{count} names wanted, {len(short) + len(long)} can be made"
        raise ValueError(msg)
    order = [short[k] for k in rng.permutation(len(short))] + [long[k] for k in rng.permutation(len(long))]
    return [("".join(part[0] for part in parts), "".join(part[1] for part in parts)) for parts in order[:count]]
