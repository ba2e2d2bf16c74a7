import { useState } from 'preact/hooks';
import { ApiError } from '../api/calls';
import { t } from '../i18n';
import { fieldErrors } from '../i18n/problem';
import { Button } from '../parts/button';
import { DoorPage } from '../parts/door';
import { Form, Input } from '../parts/field';
import { claim, claimCode, open } from '../state/session';
import { useTask } from '../state/task';
import { toast } from '../state/toast';

export function Claim() {
	const [code, setCode] = useState(claimCode.value);
	const [username, setUsername] = useState('');
	const [password, setPassword] = useState('');
	const [repeat, setRepeat] = useState('');
	const [differs, setDiffers] = useState(false);
	const task = useTask();
	const errors = fieldErrors(task.error);
	const wrongCode = task.error instanceof ApiError && task.error.code === 'claim.code_wrong';

	function submit() {
		setDiffers(password !== repeat);
		if (password !== repeat) return;
		task.run(async () => {
			try {
				await claim(code.trim().toUpperCase(), username, password);
				toast('success', t.claim.welcome);
			} catch (e) {
				if (e instanceof ApiError && e.code === 'claim.already_claimed') {
					toast('error', t.problems[e.code] ?? e.message);
					return open();
				}
				throw e;
			}
		});
	}

	return (
		<DoorPage title={t.claim.title}>
			<p class="muted">{t.claim.text}</p>
			<Form label={t.claim.title} onSubmit={submit} error={task.error}>
				<Input
					label={t.claim.code}
					hint={t.claim.codeHint}
					error={errors['/code'] ?? (wrongCode ? t.problems['claim.code_wrong'] : undefined)}
					value={code}
					onValue={setCode}
					mono
					required
					autocomplete="one-time-code"
					autofocus={!code}
				/>
				<Input
					label={t.claim.username}
					hint={t.claim.usernameHint}
					error={errors['/username']}
					value={username}
					onValue={setUsername}
					required
					autocomplete="username"
					autofocus={!!code}
				/>
				<Input
					label={t.claim.password}
					hint={t.claim.passwordHint}
					error={errors['/password']}
					type="password"
					value={password}
					onValue={setPassword}
					required
					autocomplete="new-password"
				/>
				<Input
					label={t.claim.repeat}
					error={differs ? t.claim.repeatWrong : undefined}
					type="password"
					value={repeat}
					onValue={setRepeat}
					required
					autocomplete="new-password"
				/>
				<Button submit variant="primary" busy={task.busy}>
					{t.claim.submit}
				</Button>
			</Form>
		</DoorPage>
	);
}
