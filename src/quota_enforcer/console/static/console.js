// A file may be dropped anywhere on a form that takes one.
addEventListener("dragover", (event) => {
  const form = event.target.closest?.("[data-drop]");
  if (!form) return;
  event.preventDefault();
  form.classList.add("over");
});
addEventListener("dragleave", (event) => event.target.closest?.("[data-drop]")?.classList.remove("over"));
addEventListener("drop", (event) => {
  const form = event.target.closest?.("[data-drop]");
  if (!form) return;
  event.preventDefault();
  form.querySelector("input[type=file]").files = event.dataTransfer.files;
  form.requestSubmit();
});
