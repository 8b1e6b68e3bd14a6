"""The error object of the API, and the exception that carries it to whoever answers."""

from typing import Any

DOCUMENTATION = "https://runware.ai/docs/platform/errors"


class Refused(Exception):
    """A task that is not accepted; nothing exists afterwards and nothing is billed."""

    def __init__(
        self,
        code: str,
        message: str,
        parameter: str | list[str] | None = None,
        *,
        status: int = 400,
        **more: Any,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.parameter = parameter
        self.status = status
        self.more = more

    def to_json(self, task: dict[str, Any], *, parameter_as_list: bool = False) -> dict[str, Any]:
        """Make the entry for `errors`, with the task it is about."""
        parameter = self.parameter
        if parameter_as_list and isinstance(parameter, str):
            parameter = [parameter]
        fields = {
            "code": self.code,
            "message": self.message,
            "parameter": parameter,
            **self.more,
            "documentation": DOCUMENTATION,
            "taskUUID": task.get("taskUUID"),
            "taskType": task.get("taskType"),
        }
        return {name: value for name, value in fields.items() if value is not None}
