import type { ScreenCalls } from "./screen-call.ts";

/** The calls, each that changes what a chat shows counted from its begin to its end; `begin` gives the function that ends it. */
export function countCalls(calls: ScreenCalls, begin: (chatId: number) => () => void): ScreenCalls {
  async function counted<T>(chatId: number, call: () => Promise<T>): Promise<T> {
    const ended = begin(chatId);
    try {
      return await call();
    } finally {
      ended();
    }
  }

  return {
    send: (place, act) => counted(place.chatId, () => calls.send(place, act)),
    document: (place, act) => counted(place.chatId, () => calls.document(place, act)),
    edit: (place, target, body) => counted(place.chatId, () => calls.edit(place, target, body)),
    preview: (place, target, body) => counted(place.chatId, () => calls.preview(place, target, body)),
    clearKeys: (chatId, messageId) => counted(chatId, () => calls.clearKeys(chatId, messageId)),
    remove: (chatId, messageId) => counted(chatId, () => calls.remove(chatId, messageId)),
    react: calls.react,
    answerPress: calls.answerPress,
  };
}
