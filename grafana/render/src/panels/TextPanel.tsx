/** Text in Markdown or HTML. */

import { renderTextPanelMarkdown, textUtil } from '@grafana/data';

import type { PanelProps } from '../panelProps';

export function TextPanel({ options, replace, height }: PanelProps) {
  const content = replace(options.content);
  const html = options.mode === 'html' ? textUtil.sanitizeTextPanelContent(content) : renderTextPanelMarkdown(content);
  return <div className="markdown-html" style={{ height, overflow: 'hidden' }} dangerouslySetInnerHTML={{ __html: html }} />;
}
