/** Lines of the real CLI 2.1.330, recorded against a scripted API; long lists shortened. */
export const RECORDED = {
  lifecycle:
    '{"type":"command_lifecycle","command_uuid":"b5e63be6-f891-44c1-a6e7-8f16f9261806","state":"queued","uuid":"e8864d32-5aa7-49b1-83ac-e124b7c4a239","session_id":"2036b18f-9243-4292-bbcc-29038477aa36"}',
  init: '{"type":"system","subtype":"init","cwd":"/lab/proj","session_id":"2036b18f-9243-4292-bbcc-29038477aa36","tools":["Task","AskUserQuestion","Bash","Edit","EnterPlanMode","ExitPlanMode","Read","Write"],"mcp_servers":[],"model":"claude-opus-5-5","permissionMode":"default","slash_commands":[],"apiKeySource":"ANTHROPIC_API_KEY","claude_code_version":"2.1.330","output_style":"default"}',
  requesting:
    '{"type":"system","subtype":"status","status":"requesting","session_id":"2036b18f-9243-4292-bbcc-29038477aa36","uuid":"06340f6c-9cde-4015-bd4b-0b21de10819a","user_message_uuids":["b5e63be6-f891-44c1-a6e7-8f16f9261806"]}',
  modeChanged:
    '{"type":"system","subtype":"status","status":null,"permissionMode":"plan","uuid":"4c79d78c-5374-42e5-99ee-41b07e8ea51b","session_id":"743bf22a-0c39-441b-b510-23cc4425394f"}',
  messageStart:
    '{"type":"stream_event","event":{"type":"message_start","message":{"id":"msg_11cb4c74f87a2f1ec63799ea","type":"message","role":"assistant","model":"claude-opus-5-5","content":[],"stop_reason":null,"stop_sequence":null,"usage":{"input_tokens":10,"output_tokens":1}}},"session_id":"2036b18f-9243-4292-bbcc-29038477aa36","parent_tool_use_id":null,"uuid":"f17133bc-2589-4693-a8b0-26c65adf8cd1","ttft_ms":10}',
  textDelta:
    '{"type":"stream_event","event":{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"first answer"}},"session_id":"2036b18f-9243-4292-bbcc-29038477aa36","parent_tool_use_id":null,"uuid":"cf638525-b728-487c-92f4-93292effcb6c","api_message_id":"msg_11cb4c74f87a2f1ec63799ea"}',
  inputDelta:
    '{"type":"stream_event","event":{"type":"content_block_delta","index":0,"delta":{"type":"input_json_delta","partial_json":"-la"}},"session_id":"2036b18f-9243-4292-bbcc-29038477aa36","parent_tool_use_id":null,"uuid":"23d9677d-7261-4208-b8b3-f1d29dffc90c"}',
  textAssistant:
    '{"type":"assistant","message":{"id":"msg_11cb4c74f87a2f1ec63799ea","type":"message","role":"assistant","model":"claude-opus-5-5","content":[{"type":"text","text":"first answer"}],"stop_reason":null},"parent_tool_use_id":null,"session_id":"2036b18f-9243-4292-bbcc-29038477aa36","uuid":"b6d36ae2-33e7-431b-9047-6f800ec4a431"}',
  toolAssistant:
    '{"type":"assistant","message":{"id":"msg_970abefce46e7fcf7001f826","type":"message","role":"assistant","model":"claude-opus-5-5","content":[{"type":"tool_use","id":"toolu_689f5c2fa1426904c1aae118","name":"Bash","input":{"command":"touch made.txt && ls -la","description":"make a file"}}],"stop_reason":null},"parent_tool_use_id":null,"session_id":"2036b18f-9243-4292-bbcc-29038477aa36","uuid":"46bfa28b-7842-4fa6-b93c-8a15aa2ecc41"}',
  canUseTool:
    '{"type":"control_request","request_id":"eecbe9b8-2294-45c8-a9d8-db55dba7b4fd","request":{"subtype":"can_use_tool","tool_name":"Bash","display_name":"Bash","input":{"command":"touch made.txt && ls -la","description":"make a file"},"description":"make a file","permission_suggestions":[{"type":"setMode","mode":"acceptEdits","destination":"session"}],"blocked_path":"/lab/proj/made.txt","tool_use_id":"toolu_689f5c2fa1426904c1aae118"}}',
  withdrawn: '{"type":"control_cancel_request","request_id":"6723a6bb-dde9-4643-b027-88b3d1a16cfa"}',
  toolResult:
    '{"type":"user","message":{"role":"user","content":[{"type":"tool_result","content":"The operator said no","is_error":true,"tool_use_id":"toolu_58d362400b1f37b72576e9e9"}]},"parent_tool_use_id":null,"session_id":"2036b18f-9243-4292-bbcc-29038477aa36","uuid":"9691205a-1cd8-4292-9485-b1111779b113","tool_use_result":"Error: The operator said no"}',
  interruptedText:
    '{"type":"user","message":{"role":"user","content":[{"type":"text","text":"[Request interrupted by user]"}]},"parent_tool_use_id":null,"session_id":"3062ec9d-d7c3-4fea-aa42-53f505ab66ed","uuid":"af3f5800-2a6b-4200-8dde-716e15da0650"}',
  interruptReceipt:
    '{"type":"control_response","response":{"subtype":"success","request_id":"45171e01","response":{"still_queued":[]}}}',
  bareReply: '{"type":"control_response","response":{"subtype":"success","request_id":"c0711ca4"}}',
  refusedReply:
    '{"type":"control_response","response":{"subtype":"error","request_id":"3f0cc76a","error":"Unsupported control request subtype: no_such_subtype","error_code":"unsupported_request"}}',
  apiRetry:
    '{"type":"system","subtype":"api_retry","attempt":1,"max_retries":10,"retry_delay_ms":1134,"error_status":429,"error":"rate_limit","session_id":"a7681664-6d73-4d5e-807f-f99bbd9895ec","uuid":"aeb0e5c3-ebc1-409a-aaab-67e649da82c9"}',
  cutRetry:
    '{"type":"system","subtype":"api_retry","attempt":1,"max_retries":1,"retry_delay_ms":604,"error_status":null,"error":"unknown","session_id":"38516b06-56d0-4b7b-809a-ddd59ffd935a","uuid":"f585ea9e-c570-463a-856a-aaecc578babe"}',
  rateLimit:
    '{"type":"rate_limit_event","rate_limit_info":{"status":"rejected","resetsAt":1795422085,"rateLimitType":"five_hour","isUsingOverage":false},"uuid":"7e2a20f0-f67e-4de3-8223-0ab7a0279919","session_id":"005f29ce-4334-4846-851f-b52b5d2f3099"}',
  apiErrorAssistant:
    '{"type":"assistant","message":{"id":"4f60f7df","model":"<synthetic>","role":"assistant","stop_reason":"stop_sequence","type":"message","content":[{"type":"text","text":"You\'ve hit your 5-hour limit"}]},"parent_tool_use_id":null,"session_id":"005f29ce-4334-4846-851f-b52b5d2f3099","uuid":"4cd7eb81-9da6-40d8-bbdb-967722ccdb17","error":"rate_limit","is_api_error_message":true,"api_error_status":429,"api_error_type":"rate_limit_error"}',
  success:
    '{"duration_api_ms":19,"stop_reason":"end_turn","session_id":"2036b18f-9243-4292-bbcc-29038477aa36","total_cost_usd":0.00014000000000000001,"usage":{"input_tokens":10,"output_tokens":5},"modelUsage":{"claude-opus-5-5":{"inputTokens":10,"outputTokens":5,"costUSD":0.00014000000000000001}},"model_usage_since_last_result":{"claude-opus-5-5":{"inputTokens":10,"outputTokens":5,"costUSD":0.00014000000000000001}},"permission_denials":[],"terminal_reason":"completed","is_error":false,"num_turns":1,"subtype":"success","api_error_status":null,"result":"first answer","type":"result","queued_turn_count":0,"result_index":0,"user_message_uuids":["b5e63be6-f891-44c1-a6e7-8f16f9261806"]}',
  overloaded:
    '{"duration_api_ms":0,"session_id":"822231a2-b4a4-4e7a-af7a-8048dba58be3","total_cost_usd":0,"modelUsage":{},"terminal_reason":"api_error","is_error":true,"num_turns":1,"subtype":"success","api_error_status":529,"api_error_type":"overloaded_error","result":"API Error: 529 fake overloaded_error. This is a server-side issue","type":"result","queued_turn_count":0,"result_index":0}',
  interrupted:
    '{"duration_api_ms":0,"stop_reason":null,"session_id":"3062ec9d-d7c3-4fea-aa42-53f505ab66ed","total_cost_usd":0.00045999999999999996,"terminal_reason":"aborted_streaming","is_error":true,"num_turns":2,"subtype":"error_during_execution","errors":["[ede_diagnostic] result_type=user last_content_type=n/a stop_reason=null"],"type":"result","user_message_uuids":["8005d44a-ca44-458d-befb-4099882961fb"]}',
  maxTurns:
    '{"session_id":"a67ceac4-2496-4e8f-a137-d72454180f56","total_cost_usd":0.00014,"terminal_reason":"max_turns","is_error":true,"num_turns":2,"subtype":"error_max_turns","errors":["Reached maximum number of turns (1)"],"type":"result"}',
  sessionLost:
    '{"type":"result","subtype":"error_during_execution","duration_ms":0,"duration_api_ms":0,"is_error":true,"num_turns":0,"stop_reason":null,"session_id":"16a73d7b-5c89-47a2-b4c6-13cba46fbd6a","total_cost_usd":0,"modelUsage":{},"permission_denials":[],"errors":["No conversation found with session ID: 16a73d7b-5c89-47a2-b4c6-13cba46fbd6a"],"result_index":0}',
  wakeUp:
    '{"session_id":"a58dcab4-8975-4cf8-bd31-88cc4e94c7d3","total_cost_usd":0.00042,"terminal_reason":"completed","origin":{"kind":"task-notification","producer":"session-task"},"is_error":false,"num_turns":1,"subtype":"success","api_error_status":null,"result":"the task is done","type":"result","queued_turn_count":0,"result_index":1}',
} as const;
