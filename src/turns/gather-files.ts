import type { ApprovedPath } from "../domain/approved-path.ts";
import type { Attachment, HeldFile } from "../domain/attachment.ts";
import type { ClaudeOutcome, FailureCode } from "../domain/claude-event.ts";
import { safeFileName } from "../domain/file-name.ts";
import type { Work } from "../domain/work.ts";
import type { Logger } from "../log/logger.ts";
import { folderFault } from "../security/folder-fault.ts";
import type { Store } from "../store/store.ts";
import type { Uploads } from "../workspace/uploads.ts";
import type { Presenter } from "./presenter.ts";
import type { RecordWork } from "./settle.ts";

/** What turns need to take in what people send. */
export interface FileRoom extends Pick<Uploads, "receive" | "discard"> {
  /** Where the programs of a jail see that folder. */
  readonly shownAt: (folder: string) => Promise<string>;
}

interface GatherDeps {
  readonly store: Pick<Store, "attachments" | "transaction">;
  readonly files: FileRoom;
  readonly presenter: Pick<Presenter, "fileRefused">;
  readonly record: RecordWork;
  readonly log: Logger;
}

interface GatherRequest {
  readonly work: Work;
  readonly project: ApprovedPath;
  /** The person's own in this project, on the host; its name is the last part. */
  readonly folder: string;
  readonly signal: AbortSignal;
}

/** The files of a work, all of them there; or why there is nothing to be run. */
export type Gathered =
  | { readonly kind: "ready"; readonly files: readonly HeldFile[] }
  | { readonly kind: "ended"; readonly outcome: ClaudeOutcome };

/**
 * Fetches the files of a work that are not there yet. What was put into the folder is written down at once, so that a later life
 * goes on with the next one. The first that cannot be had ends it: no turn runs as if a file were there. Rejects when the store takes nothing; then the file is gone.
 */
export function createGatherFiles({ store, files, presenter, record, log }: GatherDeps) {
  async function take(file: Attachment, { work, project, folder, signal }: GatherRequest): Promise<Gathered> {
    const receipt = await files.receive(file, { folder, project, signal }).catch((error: unknown) => {
      log.error({ event: "file.fault", workId: work.id, err: error }, "a file could not be taken in");
      const cause = folderFault(error, folder) ?? "a fault of mine: see the log";
      return { kind: "unkept", cause } as const;
    });
    if (signal.aborted) {
      if (receipt.kind === "held") await files.discard(folder, receipt.held.name); // nobody will ask for it
      return { kind: "ended", outcome: { kind: "stopped" } };
    }
    const name = safeFileName(file.name);
    switch (receipt.kind) {
      case "held": {
        const { held } = receipt;
        const hold = (): void => {
          store.attachments.hold(file.id, folder.slice(folder.lastIndexOf("/") + 1), held);
          const { kind, bytes, sha256, unpacked } = held;
          const leftOut =
            unpacked === null ? null : Object.values(unpacked.counts).reduce((a, b) => a + b, 0);
          const facts = { name: held.name, kind, bytes, sha256, files: unpacked?.files ?? null, leftOut };
          record({ type: "file.received", workId: work.id, ...facts }, { work });
        };
        try {
          store.transaction(hold);
        } catch (error) {
          await files.discard(folder, held.name); // what is not on record is not there
          throw error;
        }
        return { kind: "ready", files: [held] };
      }
      case "refused": {
        const { reason, path } = receipt;
        store.transaction(() => {
          record({ type: "file.refused", workId: work.id, name, bytes: file.bytes, reason }, { work });
          presenter.fileRefused(work, { name, reason, path });
        });
        return failed("file_refused", null);
      }
      case "failed":
        return failed("file_unfetched", `${name}: ${receipt.cause}`);
      case "unkept":
        return failed("files_unkept", `${name}: ${receipt.cause}`);
    }
  }

  return async (request: GatherRequest): Promise<Gathered> => {
    const gathered: HeldFile[] = [];
    for (const file of store.attachments.ofWork(request.work.id)) {
      if (request.signal.aborted) return { kind: "ended", outcome: { kind: "stopped" } };
      const taken: Gathered =
        file.held === null ? await take(file, request) : { kind: "ready", files: [file.held] };
      if (taken.kind === "ended") return taken;
      gathered.push(...taken.files);
    }
    return { kind: "ready", files: gathered };
  };
}

function failed(code: FailureCode, detail: string | null): Gathered {
  return { kind: "ended", outcome: { kind: "failed", code, detail, resetsAt: null } };
}
