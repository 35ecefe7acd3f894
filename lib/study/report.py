"""What a check found, as lines to read."""

from __future__ import annotations

from dataclasses import dataclass, field

WIDTH = 10  # of the words that lines of the plan begin with


@dataclass
class Report:
    """Everything wrong, what is only worth knowing, and what a run will do."""

    name: str
    problems: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    plan: list[tuple[str, str]] = field(default_factory=list)

    def add(self, about: str, line: str) -> None:
        """One more line of what a run will do."""
        self.plan.append((about, line))

    def text(self) -> str:
        """The whole report, problems first."""
        lines = [self._verdict(), *(f"  - {_indented(p, 4)}" for p in self.problems), ""]
        before = ""
        for about, line in [*self.plan, *(("note", warning) for warning in self.warnings)]:
            shown = about if about != before or about == "note" else ""
            lines.append(f"  {shown:<{WIDTH}} {_indented(line, WIDTH + 3)}")
            before = about
        return "\n".join(lines).rstrip()

    def _verdict(self) -> str:
        n = len(self.problems)
        if n == 0:
            return f"Study {self.name} can run."
        return (
            f"Study {self.name} cannot run yet; {n} {'thing is' if n == 1 else 'things are'} wrong:"
        )


def _indented(text: str, by: int) -> str:
    return text.replace("\n", "\n" + " " * by)
