/** Whether something lies over the page that gets the keys and the focus first: a dialog, a menu. A toast only lies beside it. */
export function isCovered(): boolean {
  return document.querySelector("[role=dialog]:not([data-toast]), [role=menu], [role=listbox]") !== null
}
