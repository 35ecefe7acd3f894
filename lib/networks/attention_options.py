"""Which attention a network has, where and how strong: settings, without the blocks themselves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from pydantic import ValidationError

from lib.settings.options import PARTS, AttentionSettings
from lib.settings.problems import refused


@dataclass(frozen=True)
class Attention:
    """Which attention, where, how strong; ranges are those of a study's ``attention`` section.

    Parameters
    ----------
    kind : ``self`` (spatial dot-product self-attention), ``se`` (squeeze-and-excitation, Hu et al.
        2018), ``cbam`` (Woo et al. 2018), ``matched`` (as many parameters as ``self``, but every
        place for itself), ``none``.
    location : ``conv1`` to ``conv5``, after that convolution's ReLU (of a VGG's block, the last).
    reduction : by what the channels are divided inside the block.
    heads : ``self`` alone: how many attention maps share the inner channels.
    temperature : above 1 the attention is more even, below 1 it is sharper.
    gain : what the block's change is multiplied by; 0 takes the block out.
    region_prior : log-weight of ``eyes``, ``nose``, ``mouth`` as places to attend to, ``self``
        alone. Only differences between the three count: a part not named has 0, and their mean is
        taken off.
    grid : ``self`` alone: places a side that attend, at most; a finer map is averaged down
        to them. At 14, conv3 to conv5 of AlexNet (13 places) and conv5 of the VGGs are as they are.
    guide : how much people use each part (0 or more), ``self`` alone: training draws attention
        there; see ``lib.attention_study.guidance``.
    guidance : weight of that in the loss, 0 or more.

    Raises
    ------
    ValueError : what was given, what is allowed.
    """

    kind: str = "self"
    location: str = "conv3"
    reduction: int = 8
    heads: int = 4
    temperature: float = 1.0
    gain: float = 1.0
    region_prior: Mapping[str, float] | None = field(default=None, hash=False)  # a dict has no hash
    grid: int = 14
    guide: Mapping[str, float] | None = field(default=None, hash=False)
    guidance: float = 1.0

    def __post_init__(self):
        given = {name: getattr(self, name) for name in self.__dataclass_fields__}
        try:
            checked = AttentionSettings(**given)
        except ValidationError as error:
            raise ValueError("; ".join(refused(error, ("attention",)).values())) from None
        for name in given:
            object.__setattr__(self, name, getattr(checked, name))
        self._only_self("region_prior", any(self.region_weights().values()))
        self._only_self("guide", bool(self.guide))

    def _only_self(self, name: str, given: bool) -> None:
        if given and self.kind != "self":
            raise ValueError(
                f"{name} given with attention kind {self.kind!r}; allowed: kind 'self', which "
                "chooses among places"
            )

    @classmethod
    def of(cls, settings: AttentionSettings, **changes: object) -> Attention:
        """From a study's ``attention`` section, with changes such as ``kind="matched"``."""
        values = {name: getattr(settings, name) for name in cls.__dataclass_fields__}
        return cls(**{**values, "guide": None, **changes})

    @property
    def name(self) -> str:
        """What tables call it, such as ``self@conv3``."""
        return "none" if self.kind == "none" else f"{self.kind}@{self.location}"

    def region_weights(self) -> dict[str, float]:
        """Each part's log-weight less their mean: all 0 where no prior or an even one is given."""
        given = {part: float((self.region_prior or {}).get(part, 0.0)) for part in PARTS}
        mean = sum(given.values()) / len(given)
        return {part: value - mean for part, value in given.items()}
