import { standard } from "./about.ts";
import { uploadTypes } from "./upload-list.ts";
import { mebibytes } from "./values.ts";

/** The settings of what people may send, as they stand among the others. */
export function uploadSettings() {
  return {
    MAX_UPLOAD_MB: standard("20", mebibytes(1, 2_000), {
      meaning:
        "The largest file that is accepted. Telegram's own servers give a bot no more than 20; more takes a server of yours.",
      unit: "MB",
    }),
    MAX_ARCHIVE_MB: standard("100", mebibytes(1, 4_000), {
      meaning: "What an archive may hold unpacked, all its files together.",
      unit: "MB",
    }),
    UPLOAD_TYPES: standard("text,code,images,pdf,archives", uploadTypes, {
      meaning:
        "The types of files that are accepted, separated by commas: text, code, images, pdf, archives, and single extensions such as docx. Programs never are.",
    }),
  };
}
