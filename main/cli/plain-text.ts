/**
 * Text as a terminal may show it: a model's reply, or a name in a file from elsewhere, must not move the cursor, change the title or write to
 * the clipboard. Line ends and tabs stay.
 */
export function plainText(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are the characters that are meant.
  return text.replace(/\r\n/g, "\n").replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g, "\ufffd")
}
