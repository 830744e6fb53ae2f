/** Zip files (PKWARE's APPNOTE): a vault's files in one, and those of one. */
import { unzipSync, zipSync, type Zippable } from "fflate";
import { Refused } from "./http";
import type { Given } from "./transfer";

/** A zip that is being made. */
export class Zip {
  readonly #files: Zippable = {};

  /** Below one folder, which is taken off again where it is read. */
  add(path: string, bytes: Uint8Array): void {
    this.#files[`notes/${path}`] = [bytes, { level: /\.md$/.test(path) ? 6 : 0 }];
  }

  file(name: string): File {
    return new File([zipSync(this.#files) as Uint8Array<ArrayBuffer>], name, { type: "application/zip" });
  }
}

/** The files of a zip, without the folder that all of them are in. One that would unpack to more than a vault takes is
 * refused before it is unpacked. */
export function unpacked(bytes: Uint8Array): Given[] {
  let [count, whole] = [0, 0];
  let files: Record<string, Uint8Array>;
  try {
    files = unzipSync(bytes, {
      filter: ({ name, originalSize }) => {
        [count, whole] = [count + 1, whole + originalSize];
        if (count > FILES_MAX || whole > BYTES_MAX) throw tooMuch();
        return !name.endsWith("/") && !/^__MACOSX\//.test(name);
      },
    });
  } catch (error) {
    throw error instanceof Refused ? error : new Refused("file", "This is no zip file that is whole.", undefined, 0);
  }
  const paths = Object.keys(files);
  const top = paths[0]?.split("/", 1)[0] ?? "";
  const isOne = top !== "" && paths.every((path) => path.startsWith(`${top}/`));
  return paths.map((path) => ({
    path: isOne ? path.slice(top.length + 1) : path,
    file: new File([files[path] as Uint8Array<ArrayBuffer>], path.split("/").at(-1) ?? path),
  }));
}

const tooMuch = () => new Refused("file", "The zip holds more than is taken at once: 100,000 files, or 512 MiB.", "Take a part of it.", 0);

const FILES_MAX = 100_000;
const BYTES_MAX = 512 << 20;
