import { z } from "zod";
import { ApiFailure, conflict } from "./failure.ts";
import { type Method, type MethodDeps, type MethodTable, method } from "./methods.ts";
import { flag, integer, parseParams, unwrapJson } from "./params.ts";

const pollParams = z.object({
  offset: integer.default(0),
  limit: integer.default(100),
  timeout: integer.default(0),
  allowed_updates: z.unknown().optional(),
});
const webhookParams = z.object({
  url: z.string().default(""),
  drop_pending_updates: flag.default(false),
  allowed_updates: z.unknown().optional(),
});

/** Methods by which updates reach the bot. A webhook is only remembered: nothing is ever posted to it. */
export function createUpdateMethods({ updates }: MethodDeps): MethodTable {
  let webhookUrl = "";

  const getUpdates: Method = async (payload) => {
    const params = parseParams(pollParams, payload);
    if (webhookUrl !== "") {
      throw conflict(
        "can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first",
      );
    }
    const { updateIds, json } = await updates.poll({
      offset: params.offset,
      limit: params.limit,
      timeoutSeconds: params.timeout,
      allowedUpdates: typesOf(params.allowed_updates),
    });
    return { result: updateIds, json, updateIds };
  };

  const setWebhook = method(webhookParams, (params) => {
    if (params.url !== "" && !/^https:\/\/[^/]+/.test(params.url)) {
      throw new ApiFailure(400, "Bad Request: bad webhook: An HTTPS URL must be provided for webhook");
    }
    updates.setAllowed(typesOf(params.allowed_updates));
    if (params.url !== "") updates.abort(conflict("terminated by setWebhook request"));
    if (params.drop_pending_updates) updates.clear();
    webhookUrl = params.url;
    return true;
  });

  return {
    getUpdates,
    setWebhook,
    deleteWebhook: method(webhookParams.pick({ drop_pending_updates: true }), (params) => {
      if (params.drop_pending_updates) updates.clear();
      webhookUrl = "";
      return true;
    }),
    getWebhookInfo: method(z.object({}), () => {
      const allowed = updates.allowed();
      return {
        url: webhookUrl,
        has_custom_certificate: false,
        pending_update_count: updates.pending().length,
        ...(allowed === null ? {} : { allowed_updates: allowed }),
      };
    }),
  };
}

function typesOf(value: unknown): readonly string[] | undefined {
  const parsed = z.array(z.string()).safeParse(unwrapJson(value));
  return parsed.success ? parsed.data : undefined;
}
