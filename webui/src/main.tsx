import { render } from 'preact';
import { App } from './app';
import { open } from './state/session';

const root = document.getElementById('app');
if (root) render(<App />, root);
void open();
