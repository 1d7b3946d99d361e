// The texts of the page, a file for each group of screens.
import enAdding from "./en/adding.json"
import enMain from "./en/main.json"
import enMemory from "./en/memory.json"
import zhAdding from "./zh/adding.json"
import zhMain from "./zh/main.json"
import zhMemory from "./zh/memory.json"

export const en = { ...enMain, ...enAdding, ...enMemory }
export const zh = { ...zhMain, ...zhAdding, ...zhMemory }
