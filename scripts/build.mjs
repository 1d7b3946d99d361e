// npm run build: everything that `npm start` would build, with the bundles made anew.
import { fail } from "./progress.mjs"
import { setUp } from "./setup.mjs"

await setUp({ force: ["program", "page"] }).catch(fail)
