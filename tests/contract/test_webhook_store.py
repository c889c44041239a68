"""Every store keeps what is to be told, webhooks, and deliveries."""

import asyncio
import os
from dataclasses import replace

import pytest

from antiphon.auth.v1.audit_service_pb2 import RecordSecurityEventsRequest
from antiphon.dispatcher.v1 import webhook_pb2 as pb
from antiphon_server.dispatcher.adapters.sql import SqlTurnStore
from antiphon_server.dispatcher.model import (
    ConversationId,
    Order,
    Outcome as TurnOutcome,
    Parent,
    Policy,
    State as TurnState,
    Turn,
    TurnId,
)
from antiphon_server.notifying.adapters.notes import is_told, note_of_end, note_of_wait
from antiphon_server.notifying.adapters.rows import Sealing
from antiphon_server.notifying.adapters.sql_deliveries import SqlDeliveries
from antiphon_server.notifying.adapters.sql_notes import SqlNotes
from antiphon_server.notifying.adapters.sql_webhooks import MOST, SqlWebhooks
from antiphon_server.notifying.adapters.tables import trail_outbox, webhooks
from antiphon_server.notifying.encoding import new_webhook
from antiphon_server.notifying.model import (
    Attempt,
    Claimed,
    DisabledReason,
    Outcome,
    Secret,
    State,
    Verdict,
    Webhook,
)
from antiphon_server.runtime.access.principal import Principal, SessionId, UserId, set_principal
from antiphon_server.runtime.errors import Reason
from antiphon_server.runtime.storage.database import Database
from antiphon_server.runtime.trail.outbox import SqlOutbox
from tests.e2e.refusals import Refused
from tests.fakes.databases import on_each_kind
