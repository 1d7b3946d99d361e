// What a browser without the cookie sees. Plain HTML without a style: the content policy allows none inline, and files need the cookie.
const reasons = {
  unknown: "This browser has not been let in yet.",
  used: "This link has been used already, or it belongs to an earlier start. Each link works once.",
}

export function refusalPage(reason: keyof typeof reasons): string {
  return `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><meta name="color-scheme" content="light dark"><title>Nibble</title></head>
<body>
<h1>Nibble is running, but needs a fresh link</h1>
<p>${reasons[reason]}</p>
<p>Press Enter in the terminal where Nibble runs: it prints a new link. Or end it with Ctrl+C and start it again
(<code>npm start</code>, or <code>nibble serve</code>).</p>
</body>
</html>
`
}
