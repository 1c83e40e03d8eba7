"""What judges decided on criteria given in the script."""

from scenario.types import CriterionResult, Outcome, ScenarioResult, StopReason


class Checkpoints:
    """The checkpoints of a run, merged into its result once, at the end."""

    def __init__(self) -> None:
        self._judged: list[ScenarioResult] = []

    def record(self, judged: ScenarioResult) -> None:
        """Keep the judge's result on one checkpoint."""
        self._judged.append(judged)

    @property
    def passed_criteria(self) -> list[str]:
        """Criteria met at any checkpoint, in order."""
        return [criterion for judged in self._judged for criterion in judged.passed_criteria]

    @property
    def failed_criteria(self) -> list[str]:
        """Criteria not met at any checkpoint, in order."""
        return [criterion for judged in self._judged for criterion in judged.failed_criteria]

    @property
    def inconclusive_criteria(self) -> list[str]:
        """Criteria that no checkpoint could decide, in order."""
        return [criterion for judged in self._judged for criterion in judged.inconclusive_criteria]

    @property
    def criteria(self) -> list[CriterionResult]:
        """The verdicts of all checkpoints, in order."""
        return [verdict for judged in self._judged for verdict in judged.criteria]

    def merged_into(self, result: ScenarioResult) -> ScenarioResult:
        """Return a copy of a final result that counts what the checkpoints passed."""
        if not self._judged:
            return result
        return result.model_copy(
            update={
                "passed_criteria": [*self.passed_criteria, *result.passed_criteria],
                "inconclusive_criteria": [*self.inconclusive_criteria, *result.inconclusive_criteria],
                "criteria": [*self.criteria, *result.criteria],
            }
        )

    def failing(self, judged: ScenarioResult) -> ScenarioResult:
        """Return the result of a run that ends with the checkpoint `judged`, which is recorded already."""
        return judged.model_copy(
            update={
                "passed_criteria": self.passed_criteria,
                "failed_criteria": self.failed_criteria,
                "inconclusive_criteria": self.inconclusive_criteria,
                "criteria": self.criteria,
                "stop_reason": StopReason.CHECKPOINT,
            }
        )

    def summary(self) -> ScenarioResult | None:
        """Return the result of a script that ended with nothing but passed checkpoints; None if it had none."""
        if not self.passed_criteria:
            return None
        return ScenarioResult(
            success=not self.failed_criteria,
            messages=[],
            reasoning="All inline criteria checkpoints passed",
            passed_criteria=self.passed_criteria,
            failed_criteria=self.failed_criteria,
            inconclusive_criteria=self.inconclusive_criteria,
            criteria=self.criteria,
            outcome=Outcome.FAILED if self.failed_criteria else Outcome.PASSED,
            stop_reason=StopReason.SCRIPT_END,
        )
