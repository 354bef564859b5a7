// What must be so before Payload is loaded; imported first.
import { File } from 'node:buffer'

globalThis.File ??= File // Debian 12 has Node 18, where a file is no global yet

// Standard output is for one line: whatever else is said, by drizzle-kit above all, goes to standard error.
const say = process.stdout.write.bind(process.stdout)
process.stdout.write = process.stderr.write.bind(process.stderr)

export const tell = (what) => say(`${JSON.stringify(what)}\n`)
