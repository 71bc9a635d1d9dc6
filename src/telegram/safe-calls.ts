import type { Store } from "../store/store.ts";
import type { Outgoing } from "./outgoing.ts";
import type { ScreenCalls } from "./screen-call.ts";

/** The last gate: whatever is shown, stored or passing, has passed it. */
export function redactCalls(calls: ScreenCalls, { body, document, text }: Outgoing): ScreenCalls {
  return {
    ...calls,
    send: (place, act) => calls.send(place, { ...act, body: body(act.body) }),
    document: (place, act) => calls.document(place, document(act)),
    edit: (place, target, shown) => calls.edit(place, target, body(shown)),
    preview: (place, target, shown) => calls.preview(place, target, body(shown)),
    answerPress: (callbackId, popUp) => calls.answerPress(callbackId, popUp === null ? null : text(popUp)),
  };
}

/** The store with an outbox that keeps no secrets either: what waits to be shown is written without them (H20). */
export function redactOutbox(store: Store, { act }: Outgoing): Store {
  const { outbox } = store;
  return { ...store, outbox: { ...outbox, put: (draft) => outbox.put({ ...draft, act: act(draft.act) }) } };
}
