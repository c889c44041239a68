"""Why models failed at an answer, for whoever can do something about it."""

from antiphon.integration.v1.model_pb2 import ATTEMPT_OUTCOME_FAILED, ModelCall
from antiphon_client import Client
from antiphon_server.cli.console import in_a_line


async def faults_of(client: Client, conversation_id: str, turn_id: str) -> list[str]:
    """A line for each: what a model lacks, and what was said of its failure.

    Operators alone are told the latter. Raises AntiphonError.
    """
    workspace = (await client.get_conversation(conversation_id)).workspace_id
    calls = (await client.get_usage(workspace, turn_id, conversation_id)).calls
    failed = [call for call in reversed(calls) if call.outcome == ATTEMPT_OUTCOME_FAILED]
    asked = {call.model for call in failed}
    lines = [
        f"{model.name}: {model.missing}"
        async for model in client.list_models()
        if model.missing and model.name in asked
    ]
    lines += [f"{call.model}: {said}" for call in failed if (said := _said(call))]
    return list(dict.fromkeys(map(in_a_line, lines)))


def _said(call: ModelCall) -> str:
    status = f"HTTP {call.provider_status}" if call.provider_status else ""
    return " · ".join(filter(None, (status, call.provider_message)))
