import { request } from "node:http";
import { expect, test } from "vitest";
import { dig, post, serve, TOKEN } from "./bot-api.fixture.ts";

test("getMe tells who the bot is, and its id is the one in its token", async () => {
  const { call } = await serve({ botInfo: { first_name: "Gate" } });
  const { status, result } = await call("getMe");
  expect(status).toBe(200);
  expect(result).toMatchObject({
    id: 110201543,
    is_bot: true,
    first_name: "Gate",
    username: "sallyport_bot",
  });
});

test("a wrong token is refused with 401, and so is the right one once it is revoked", async () => {
  const { api, root, call } = await serve();
  const wrong = await post(`${root}/bot1:WRONG/getMe`, "{}");
  expect(wrong).toMatchObject({ status: 401, ok: false, error_code: 401, description: "Unauthorized" });
  const poll = call("getUpdates", { timeout: 30 });
  await api.waitFor(() => api.isPolled(), { what: "the poll to wait" });
  api.revoke();
  expect(await poll).toMatchObject({ status: 401, description: "Unauthorized" });
  expect((await call("getMe")).status).toBe(401);
});

test("an unknown method and an unknown path are 404", async () => {
  const { root, call } = await serve();
  for (const name of ["constructor", "__proto__", "toString"]) expect((await call(name)).status).toBe(404);
  expect(await call("makeCoffee")).toMatchObject({ status: 404, description: "Not Found: method not found" });
  expect(await post(`${root}/nothing`, "{}")).toMatchObject({ status: 404, description: "Not Found" });
});

test("method names are taken in any case and logged in Telegram's spelling", async () => {
  const { api, call } = await serve();
  expect((await call("GETME")).ok).toBe(true);
  expect(api.log.at(-1)?.method).toBe("getMe");
});

test("parameters come as JSON, as a form, as multipart and in the query string", async () => {
  const { api, root, alice, call } = await serve();
  const url = `${root}/bot${TOKEN}/sendMessage`;
  const keyboard = { inline_keyboard: [[{ text: "Yes", callback_data: "y" }]] };
  const form = new URLSearchParams({ chat_id: "7", text: "form", reply_markup: JSON.stringify(keyboard) });
  const parts = new FormData();
  parts.set("chat_id", "7");
  parts.set("text", "parts ✓");
  parts.set("entities", JSON.stringify([{ type: "bold", offset: 0, length: 5 }]));

  expect((await call("sendMessage", { chat_id: 7, text: "json" })).ok).toBe(true);
  expect((await post(url, form.toString(), "application/x-www-form-urlencoded")).ok).toBe(true);
  expect((await post(url, parts)).ok).toBe(true);
  expect((await fetch(`${url}?chat_id=7&text=query`)).ok).toBe(true);

  const shown = api.messages(alice.chatId);
  expect(shown.map(({ text }) => text)).toEqual(["json", "form", "parts ✓", "query"]);
  expect(shown[1]?.keyboard).toEqual(keyboard);
  expect(shown[2]?.entities).toEqual([{ type: "bold", offset: 0, length: 5 }]);
});

test.each([
  ["broken JSON", "{", "application/json", "can't parse JSON object"],
  ["JSON that is no object", "[1]", "application/json", "JSON object expected"],
  ["multipart without a boundary", "x", "multipart/form-data", "boundary not found"],
  [
    "multipart that ends early",
    "--b\r\n\r\n",
    "multipart/form-data; boundary=b",
    "unexpected end of request content",
  ],
])("%s is refused and still stands in the log", async (_, body, type, description) => {
  const { api, root } = await serve();
  const reply = await post(`${root}/bot${TOKEN}/sendMessage`, body, type);
  expect(reply).toMatchObject({ status: 400, description: `Bad Request: ${description}` });
  expect(api.log.at(-1)).toMatchObject({ method: "sendMessage", response: { ok: false } });
});

test("bytes that are not UTF-8 are refused in JSON and in forms", async () => {
  const { root } = await serve();
  const url = `${root}/bot${TOKEN}/sendMessage`;
  const refused = { status: 400, description: "Bad Request: strings must be encoded in UTF-8" };
  const json = Buffer.concat([Buffer.from('{"chat_id":7,"text":"'), Buffer.from([0xff]), Buffer.from('"}')]);
  expect(await post(url, json, "application/json")).toMatchObject(refused);
  const head = Buffer.from('--b\r\ncontent-disposition:form-data;name="text"\r\n\r\n');
  const parts = Buffer.concat([head, Buffer.from([0xc3]), Buffer.from("\r\n--b--\r\n")]);
  expect(await post(url, parts, "multipart/form-data; boundary=b")).toMatchObject(refused);
});

test("a body over 50 MB is refused with 413 that the client can read", async () => {
  const { root } = await serve();
  const reply = await post(`${root}/bot${TOKEN}/sendMessage`, Buffer.alloc(52_428_801), "application/json");
  expect(reply).toMatchObject({ status: 413, description: "Request Entity Too Large" });
});

test("a client that goes away in the middle of its body harms nobody", async () => {
  const { api, root, call } = await serve();
  const half = request(`${root}/bot${TOKEN}/sendMessage`, {
    method: "POST",
    headers: { "content-type": "application/json", "content-length": "1000" },
  });
  const gone = new Promise<void>((resolve) => half.on("error", () => resolve()));
  half.write('{"chat_id":');
  api.cutConnections();
  half.destroy();
  await gone;
  expect((await call("getMe")).ok).toBe(true);
});

test("documents travel both ways: uploaded, shown with their content, fetched by getFile and from /file", async () => {
  const { api, root, alice, call } = await serve();
  const content = Buffer.from([0, 13, 10, 45, 45, 255, 13, 10]);
  const form = new FormData();
  form.set("chat_id", "7");
  form.set("caption", "here it is");
  form.set("document", new Blob([content], { type: "text/x-diff" }), 'my "own" file.diff');
  const sent = await post(`${root}/bot${TOKEN}/sendDocument`, form);
  expect(sent.result).toMatchObject({ caption: "here it is", document: { file_size: content.length } });

  const shown = api.lastMessage(alice.chatId);
  expect(shown?.text).toBe("here it is");
  expect(shown?.document).toMatchObject({ mimeType: "text/x-diff" });
  expect(shown?.document?.fileName).toContain("file.diff");
  expect(shown?.document?.content.equals(content)).toBe(true);

  const fileId = dig(sent.result, "document", "file_id");
  const { result } = await call("getFile", { file_id: fileId });
  const path = String(dig(result, "file_path"));
  const fetched = await fetch(`${root}/file/bot${TOKEN}/${path}`);
  expect(Buffer.from(await fetched.arrayBuffer()).equals(content)).toBe(true);
  expect((await fetch(`${root}/file/bot1:WRONG/${path}`)).status).toBe(401);
  expect((await fetch(`${root}/file/bot${TOKEN}/documents/none`)).status).toBe(404);

  const again = await call("sendDocument", { chat_id: 7, document: fileId });
  expect(again.ok).toBe(true);
  expect(api.lastMessage(7)?.document?.content.equals(content)).toBe(true);
});

test("what is no file is refused as one", async () => {
  const { root, call } = await serve();
  const bad = (description: string): object => ({ status: 400, description: `Bad Request: ${description}` });
  expect(await call("sendDocument", { chat_id: 7 })).toMatchObject(
    bad("there is no document in the request"),
  );
  expect(await call("sendDocument", { chat_id: 7, document: "http://a.example/x" })).toMatchObject(
    bad("wrong file identifier/HTTP URL specified"),
  );
  expect(await call("getFile", { file_id: "AAA" })).toMatchObject(
    bad("wrong file_id or the file is temporarily unavailable"),
  );
  const form = new FormData();
  form.set("chat_id", "7");
  form.set("photo", new Blob(["no picture"]), "a.jpg");
  expect(await post(`${root}/bot${TOKEN}/sendPhoto`, form)).toMatchObject(bad("IMAGE_PROCESS_FAILED"));
  form.set("photo", new Blob([]), "a.jpg");
  expect(await post(`${root}/bot${TOKEN}/sendPhoto`, form)).toMatchObject(bad("file must be non-empty"));
  form.set("photo", new Blob([Buffer.from("89504e470d0a1a0a", "hex")]), "a.png");
  expect((await post(`${root}/bot${TOKEN}/sendPhoto`, form)).result).toMatchObject({
    photo: [{ file_size: 8 }],
  });
});

test("closing cuts what is open, refuses new calls, and the same port listens again with nothing forgotten", async () => {
  const { api, root, call } = await serve();
  await call("sendMessage", { chat_id: 7, text: "before" });
  const poll = call("getUpdates", { timeout: 30 });
  await api.waitFor(() => api.isPolled(), { what: "the poll to wait" });
  const cut = expect(poll).rejects.toThrow();
  await api.close();
  await cut;
  await expect(call("getMe")).rejects.toThrow();
  expect(await api.listen(Number(new URL(root).port))).toBe(root);
  expect((await call("getMe")).ok).toBe(true);
  expect(api.messages(7).map(({ text }) => text)).toEqual(["before"]);
});

test("a port that is taken is an error, and the server may try another", async () => {
  const first = await serve();
  const second = await serve();
  await second.api.close();
  await expect(second.api.listen(Number(new URL(first.root).port))).rejects.toThrow(/EADDRINUSE/);
  expect(await second.api.listen()).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
});
