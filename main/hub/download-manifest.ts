// .nibble-download.json of a folder that is being filled: what belongs into it and what of that is verified.
import { AppError } from "../../shared/schema/error.ts"

export const manifestName = ".nibble-download.json"

/**
 * For a file that was made into something else: the manifest says so first, then the file is deleted. Later sets in this folder neither
 * fetch nor miss it. Call it when what was made is safe on the disk.
 */
export async function useUp(folder: string, name: string): Promise<void> {
  throw new AppError("unsupported", `${folder} ${name}: This is being built.`)
}

/** The opposite, where what was made of them is lost: the next set fetches them again. Default: all that were used. */
export async function fetchAgain(folder: string, names?: string[]): Promise<void> {
  throw new AppError("unsupported", `${folder} ${names}: This is being built.`)
}

/** Whether every file of the manifest is verified and unchanged here, or cached; false also where there is no manifest. */
export async function isComplete(folder: string): Promise<boolean> {
  throw new AppError("unsupported", `${folder}: This is being built.`)
}
