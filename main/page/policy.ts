// What the page may do, the same in the Electron window and in a browser: run its own files, talk to main, and nothing else. A reply of a
// model can name any address; the page can reach none of them, so it cannot carry a chat away.

/** `connect` lists the addresses that the page may call besides its own origin. */
export function contentPolicy(connect: readonly string[] = []): string {
  return [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self' data: blob:",
    "font-src 'self'",
    ["connect-src 'self'", ...connect].join(" "),
    "object-src 'none'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join("; ")
}

const deniedFeatures = [
  "camera",
  "microphone",
  "geolocation",
  "display-capture",
  "usb",
  "serial",
  "hid",
  "midi",
  "payment",
  "accelerometer",
  "gyroscope",
  "magnetometer",
  "screen-wake-lock",
  "xr-spatial-tracking",
]

/** Sent with every answer, also with refusals. */
export function securityHeaders(connect: readonly string[] = []): Record<string, string> {
  return {
    "Content-Security-Policy": contentPolicy(connect),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": deniedFeatures.map((feature) => `${feature}=()`).join(", "),
  }
}
