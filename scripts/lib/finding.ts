/** One broken rule at one place of the tree. */
export interface Finding {
  /** Path from the repository root. */
  readonly file: string;
  /** Counted from 1; 0 when the whole file is meant. */
  readonly line: number;
  readonly message: string;
}

/** `file:line message`, the form that editors and terminals turn into links. */
export function formatFinding(finding: Finding): string {
  const place = finding.line === 0 ? finding.file : `${finding.file}:${finding.line}`;
  return `${place}  ${finding.message}`;
}

/** Line of an offset, counted from 1. */
export function lineAt(text: string, offset: number): number {
  let line = 1;
  for (let at = text.indexOf('\n'); at !== -1 && at < offset; at = text.indexOf('\n', at + 1)) line++;
  return line;
}

/** Ends a checker that was started on its own: prints what it found and sets the exit code. */
export function report(name: string, findings: readonly Finding[], summary: string): void {
  for (const finding of findings) console.log(formatFinding(finding));
  console.log(findings.length === 0 ? `${name}: ${summary}` : `${name}: ${findings.length} findings`);
  if (findings.length > 0) process.exitCode = 1;
}
