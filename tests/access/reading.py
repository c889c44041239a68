"""The contract as a person reads it: what each RPC must answer to each identity.

Written by hand from the comments of the contracts, and not from the function that decides:
where the two differ, one of them is wrong. An RPC that nobody has put into a group here
fails the test.
"""

IDENTITIES = {
    "none": "no token",
    "expired": "a token that has expired",
    "revoked": "a token of a session that was ended",
    "viewer": "VIEWER of the workspace and of the conversation",
    "member": "MEMBER of both",
    "admin": "ADMIN of both",
    "stranger": "owner of another workspace",
    "service": "a service of this installation",
    "guest": "GUEST of the conversation alone",
    "read key": "MEMBER of both, by a key limited to SCOPE_READ",
    "grant": "a worker, by the grant of a turn that runs in the conversation",
}

YES, LOST, EXPIRED, REVOKED = "yes", "UNAUTHENTICATED", "TOKEN_EXPIRED", "SESSION_REVOKED"
HIDDEN, DENIED, SCOPE = "NOT_FOUND", "PERMISSION_DENIED", "SCOPE_MISSING"
_BAD = (LOST, EXPIRED, REVOKED)
# none, expired, revoked; then viewer, member, admin, stranger, service, guest, read key; of grants
# below
_GROUPS: dict[str, tuple[str, ...]] = {
    "everybody": (YES,) * 10,
    "signed in": (*_BAD, YES, YES, YES, YES, YES, YES, YES),
    "signed in, by a credential for the account": (*_BAD, YES, YES, YES, YES, YES, YES, SCOPE),
    "signed in, by a credential that may write": (*_BAD, YES, YES, YES, YES, YES, YES, SCOPE),
    "signed in, by a credential that may work": (*_BAD, YES, YES, YES, YES, YES, YES, SCOPE),
    "whoever makes something": (*_BAD, YES, YES, YES, YES, DENIED, YES, SCOPE),
    "whoever may make something there": (*_BAD, DENIED, YES, YES, HIDDEN, DENIED, HIDDEN, SCOPE),
    "reads a conversation": (*_BAD, YES, YES, YES, HIDDEN, YES, YES, YES),
    "reads a workspace": (*_BAD, YES, YES, YES, HIDDEN, YES, HIDDEN, YES),
    "reads the members of a conversation": (*_BAD, YES, YES, YES, HIDDEN, YES, DENIED, YES),
    "writes in a conversation": (*_BAD, DENIED, YES, YES, HIDDEN, YES, YES, SCOPE),
    "writes in a workspace": (*_BAD, DENIED, YES, YES, HIDDEN, YES, HIDDEN, SCOPE),
    "manages a conversation": (*_BAD, DENIED, DENIED, YES, HIDDEN, YES, DENIED, SCOPE),
    "manages a workspace": (*_BAD, DENIED, DENIED, YES, HIDDEN, YES, HIDDEN, SCOPE),
    "operators": (*_BAD, DENIED, DENIED, DENIED, DENIED, YES, DENIED, SCOPE),
    "whom it is about, and operators": (*_BAD, *(DENIED,) * 6, SCOPE),
    "services": (*_BAD, DENIED, DENIED, DENIED, DENIED, YES, DENIED, DENIED),
}

_RPCS = {
    "everybody": """
        AuthService/Login AuthService/ListLoginMethods AuthService/StartLogin
        AuthService/StartDeviceLogin AuthService/Refresh AuthService/ResetPassword
        AuthService/GetJwks
        Health/Check Health/List Health/Watch ServerReflection/ServerReflectionInfo
    """,
    "signed in": """
        AuthService/Logout AuthService/WhoAmI AccessService/ListAccess
        ContextService/ListWorkspaces ContextService/ListConversations
        NoticeService/ListNotices ScheduleService/ListOwnSchedules
        EventService/UpdateFollow EventService/CancelFollow
        IntegrationService/ListModels IntegrationService/CountTokens
        SearchService/SearchMessages SearchService/Recall MemoryService/ExportMemories
    """,
    "signed in, by a credential for the account": """
        AuthService/ListSessions AuthService/RevokeSession AuthService/RevokeAllSessions
        AuthService/GetDeviceLogin AuthService/DecideDeviceLogin AuthService/ChangePassword
        AuthService/ListIdentities AuthService/CreateApiKey AuthService/ListApiKeys
        AuthService/RevokeApiKey
        ProfileService/GetProfile ProfileService/UpdateProfile ProfileService/DeleteProfile
        AuditService/ListSecurityEvents AuditService/WatchSecurityEvents
    """,
    "signed in, by a credential that may write": """
        ConnectionService/UpdateRelay ConnectionService/CancelRelay
        MemoryService/ForgetMemory
    """,
    "signed in, by a credential that may work": """
        WorkerService/Work WorkerService/OpenWork WorkerService/UpdateWork
    """,
    "whoever makes something": "ContextService/CreateWorkspace",
    "whoever may make something there": "ContextService/CreateConversation",
    "reads a conversation": """
        ContextService/GetConversation ContextService/ListMessages ContextService/GetContext
        DispatcherService/GetTurn DispatcherService/ListTurns ToolService/ReadToolResult
        AssemblyService/AssembleContext AssemblyService/ExplainContext
        SummaryService/ListSummaries
        ScheduleService/GetSchedule ScheduleService/ListSchedules
        ScheduleService/ListScheduleRuns
        EventService/ReadEvents EventService/GetHead
        EventService/Subscribe EventService/Follow
        MemoryService/GetMemory MemoryService/ListMemories MemoryService/ListMemoryVersions
        EntityService/GetEntity EntityService/ListEntities EntityService/SearchEntities
        EntityService/ListMentions
        WhiteboardService/GetWhiteboard WhiteboardService/ListSectionVersions
        PruningService/GetRetention
    """,
    "reads a workspace": """
        DispatcherService/ListHandlers
        ContextService/GetWorkspace IntegrationService/GetUsage
        BudgetService/ListBudgets BudgetService/GetSpending
        ToolService/ListTools ToolService/GetTool
        ConnectionService/GetConnection ConnectionService/ListConnections
        ConnectionService/GetEgressRules HandoffService/ListHandoffs
    """,
    "reads the members of a conversation": "ContextService/GetMember ContextService/ListMembers",
    "writes in a conversation": """
        ContextService/PostMessage EventService/PublishEphemeral
        MemoryService/PutMemory MemoryService/UpdateMemory
        EntityService/CreateEntity EntityService/UpdateEntity EntityService/MergeEntities
        EntityService/SplitEntity EntityService/DeleteEntity
        PruningService/PruneMemories PruningService/RestoreMemory
        ContextService/EraseMessages
        DispatcherService/Dispatch DispatcherService/CancelTurn DispatcherService/Converse
        DispatcherService/DecideToolCall DispatcherService/AnswerToolCall
        RouteService/ExplainRoute
        ScheduleService/CreateSchedule ScheduleService/UpdateSchedule
        ScheduleService/DeleteSchedule ScheduleService/RunSchedule
        HandoffService/HandOffTurn HandoffService/ClaimHandoff HandoffService/ReleaseHandoff
        HandoffService/AnswerHandoff HandoffService/ReturnHandoff HandoffService/DeclineHandoff
        WhiteboardService/WriteSection WhiteboardService/DeleteSection
        WhiteboardService/KeepWhiteboard
    """,
    "writes in a workspace": (
        "IntegrationService/Generate ToolService/CallTool ConnectionService/TestConnection"
        " ConnectionService/Forward ConnectionService/Relay ConnectionService/OpenRelay"
    ),
    "manages a conversation": """
        ErasureService/EraseConversation
        ContextService/UpdateConversation ContextService/ArchiveConversation
        ContextService/UnarchiveConversation
        ContextService/AddMember ContextService/UpdateMember ContextService/RemoveMember
        PruningService/SetRetention
    """,
    "manages a workspace": """
        ErasureService/EraseWorkspace
        ContextService/UpdateWorkspace ContextService/ArchiveWorkspace ToolService/SetToolRule
        ToolService/SetToolPrice
        ConnectionService/CreateConnection ConnectionService/UpdateConnection
        ConnectionService/DeleteConnection ConnectionService/AuthorizeConnection
        ConnectionService/CompleteAuthorization
        ToolService/ApproveTool
        ConnectionService/SetEgressRules
        SecretService/PutSecret SecretService/ListSecrets SecretService/DeleteSecret
        BudgetService/PutBudget BudgetService/DeleteBudget
        WorkerService/AllowWorker WorkerService/ForbidWorker
        WorkerService/ListWorkerPermissions WorkerService/ListWorkers
        WorkerService/ListDeployments WorkerService/SetRollout
        RouteService/GetRoutes RouteService/SetRoutes RouteService/ListRouteRevisions
        RouteService/TryRoutes
        WebhookService/CreateWebhook WebhookService/GetWebhook WebhookService/ListWebhooks
        WebhookService/UpdateWebhook WebhookService/DeleteWebhook
        WebhookService/RotateWebhookSecret WebhookService/TestWebhook
        WebhookService/ListDeliveries WebhookService/Redeliver
        FilterService/GetFilters FilterService/SetFilters FilterService/ListFilterRevisions
        FilterService/TryFilters FilterService/ListScreenings
        AnomalyService/GetDetectors AnomalyService/SetDetectors
        AnomalyService/ListDetectorRevisions AnomalyService/ListFlags
        AnomalyService/GetFlag AnomalyService/ClearFlag
        RouteService/TryRoutes ScheduleService/ListWorkspaceSchedules
    """,
    "operators": """
        AuthService/CreateUser AuthService/GetUser AuthService/ListUsers AuthService/UpdateUser
        AuthService/CreatePasswordReset AuthService/LinkIdentity AuthService/UnlinkIdentity
        AuthService/RotateSigningKeys AccessService/ExplainAccess
        AuditService/ExportSecurityEvents AuditService/VerifySecurityEvents
        AuditService/GetAuditHead
        NoticeService/PublishNotice NoticeService/WithdrawNotice
        SecretService/RotateSecretKeys
        IntegrationService/SetModelBreaker ConnectionService/SetConnectionBreaker
        MemoryService/GetExternalMemory MemoryService/ResyncExternalMemory
    """,
    "whom it is about, and operators": "ErasureService/ErasePerson",
    "services": """
        AuditService/RecordSecurityEvents VerificationService/FollowSessions
        AuthService/GetDisplayNames ProfileService/GetProfiles IntegrationService/PlanPrompt
        ProfileService/DeleteWorkspaceProfiles
        IntegrationService/ReportLostAnswer IntegrationService/GetBudgetLeft
        ToolService/PlanTools ToolService/RunTool ToolService/AttendTool
        ToolService/ConsultTool
        ContextService/CheckAccess ContextService/RecordActivity
        FilterService/Screen FilterService/GetAnswerFilters FilterService/RecordScreening
        ContextService/CreateConversationFor ContextService/ListReadable
        ContextService/GetMessages
        DispatcherService/CheckGrant WorkerService/Borrow
        EventService/Append EventService/Fold EventService/Trim EventService/FindNews
        EventService/Redact DispatcherService/EraseTurns ToolService/EraseToolResults
        ForgettingService/ForgetSources ForgettingService/ForgetScope
        EventService/RedactSettings
        WorkerService/Borrow
    """,
}

FOR_GRANTS = {
    "ContextService/GetContext",
    "ContextService/ListMessages",
    "ContextService/GetConversation",
    "DispatcherService/GetTurn",
    "EventService/ReadEvents",
    "IntegrationService/Generate",
    "IntegrationService/ListModels",
    "IntegrationService/CountTokens",
    "ToolService/ListTools",
    "ToolService/GetTool",
    "SearchService/SearchMessages",
    "AssemblyService/AssembleContext",
    "SearchService/Recall",
    "MemoryService/PutMemory",
    "MemoryService/GetMemory",
    "MemoryService/ListMemories",
    "EntityService/GetEntity",
    "EntityService/ListEntities",
    "EntityService/SearchEntities",
    "WhiteboardService/GetWhiteboard",
    "WhiteboardService/WriteSection",
    "WhiteboardService/DeleteSection",
    "WhiteboardService/ListSectionVersions",
}
"""What a turn's worker may call by its grant, beside what everybody may."""

GROUP_OF = {rpc: group for group, rpcs in _RPCS.items() for rpc in rpcs.split()}


def answers(rpc: str) -> dict[str, str]:
    """What each identity must be answered by the RPC, named ``Service/Method``: YES or a reason."""
    group = GROUP_OF[rpc]
    of_grant = YES if rpc in FOR_GRANTS or group == "everybody" else DENIED
    return dict(zip(IDENTITIES, (*_GROUPS[group], of_grant), strict=True))
