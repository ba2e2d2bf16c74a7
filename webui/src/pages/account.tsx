import { useEffect, useState } from 'preact/hooks';
import { call, listAll, type NewToken, type Token } from '../api/calls';
import { absolute, t } from '../i18n';
import { fieldErrors } from '../i18n/problem';
import { LoadError } from '../parts/banner';
import { Button } from '../parts/button';
import { confirm, Dialog } from '../parts/dialog';
import { Form, Input, Select } from '../parts/field';
import { Card, Page } from '../parts/page';
import { Time } from '../parts/status';
import { Table } from '../parts/table';
import { logOut, sessionEnd, user } from '../state/session';
import { attempt, useTask } from '../state/task';
import { type Theme, theme } from '../state/theme';
import { toast } from '../state/toast';

function TokenForm({ onMade, onClose }: { onMade: (t: NewToken) => void; onClose: () => void }) {
	const [name, setName] = useState('');
	const [days, setDays] = useState('90');
	const task = useTask();
	const errors = fieldErrors(task.error);
	return (
		<Dialog title={t.account.newToken} onClose={onClose}>
			<Form
				label={t.account.newToken}
				error={task.error}
				shows={(pointer) => ['/name', '/expires_in_days'].includes(pointer)}
				onSubmit={() =>
					task.run(async () =>
						onMade(await call('createToken', { body: { name, expires_in_days: Number(days) } })),
					)
				}
			>
				<Input
					label={t.account.tokenName}
					hint={t.account.tokenNameHint}
					error={errors['/name']}
					value={name}
					onValue={setName}
					required
					autofocus
					autocomplete="off"
				/>
				<Input
					label={t.account.tokenDays}
					error={errors['/expires_in_days']}
					type="number"
					min={1}
					max={365}
					value={days}
					onValue={setDays}
				/>
				<div class="actions">
					<Button onClick={onClose}>{t.common.cancel}</Button>
					<Button submit variant="primary" busy={task.busy}>
						{t.common.create}
					</Button>
				</div>
			</Form>
		</Dialog>
	);
}

function Secret({ token, onClose }: { token: NewToken; onClose: () => void }) {
	const [copied, setCopied] = useState(false);
	return (
		<Dialog title={t.account.secretTitle} onClose={onClose}>
			<p>{t.account.secretText}</p>
			<div class="secret">
				<code aria-label={t.account.secretLabel}>{token.token}</code>
				<Button
					icon={copied ? 'check' : 'copy'}
					label={copied ? t.common.copied : t.common.copy}
					onClick={() =>
						void attempt(async () => {
							await navigator.clipboard.writeText(token.token);
							setCopied(true);
						})
					}
				/>
			</div>
			<div class="actions">
				<Button variant="primary" onClick={onClose}>
					{t.account.secretDone}
				</Button>
			</div>
		</Dialog>
	);
}

function Tokens() {
	const [list, setList] = useState<Token[]>();
	const [making, setMaking] = useState(false);
	const [made, setMade] = useState<NewToken>();
	const task = useTask();
	const read = () => task.run(async () => setList(await listAll('listTokens')));
	useEffect(read, []);

	async function revoke(token: Token): Promise<void> {
		const yes = await confirm({
			title: t.account.revokeTitle(token.name),
			text: t.account.revokeText,
			yes: t.account.revoke,
			danger: true,
		});
		if (!yes) return;
		await attempt(async () => {
			await call('deleteToken', { path: { id: token.id } });
			setList((now) => now?.filter((other) => other.id !== token.id));
			toast('success', t.account.revoked(token.name));
		});
	}

	return (
		<Card
			title={t.account.tokens}
			aside={
				<Button small icon="plus" onClick={() => setMaking(true)}>
					{t.account.newToken}
				</Button>
			}
		>
			<p class="muted">{t.account.tokensText}</p>
			{task.error !== undefined && <LoadError error={task.error} retry={read} />}
			{list?.length === 0 && <p class="muted">{t.account.noTokens}</p>}
			{list && list.length > 0 && (
				<Table
					caption={t.account.tokens}
					rows={list}
					keyOf={(token) => token.id}
					columns={[
						{
							label: t.account.tokenName,
							place: 'lead',
							cell: (token) => <span class="name">{token.name}</span>,
						},
						{ label: t.account.created, cell: (token) => <Time iso={token.created} /> },
						{ label: t.account.expires, cell: (token) => <Time iso={token.expires} /> },
						{
							label: t.account.lastUsed,
							cell: (token) => (token.last_used ? <Time iso={token.last_used} /> : t.common.never),
						},
						{
							label: t.common.actions,
							place: 'end',
							cell: (token) => (
								<Button
									small
									variant="danger"
									label={t.account.revokeOf(token.name)}
									onClick={() => void revoke(token)}
								>
									{t.account.revoke}
								</Button>
							),
						},
					]}
				/>
			)}
			{making && (
				<TokenForm
					onClose={() => setMaking(false)}
					onMade={(token) => {
						setMaking(false);
						setMade(token);
						read();
					}}
				/>
			)}
			{made && <Secret token={made} onClose={() => setMade(undefined)} />}
		</Card>
	);
}

export function Account() {
	const task = useTask();
	return (
		<Page title={t.account.title}>
			<Card
				title={t.account.signedIn(user.value)}
				aside={
					<Button icon="power" busy={task.busy} onClick={() => task.run(logOut)}>
						{t.account.logout}
					</Button>
				}
			>
				<p class="muted">{t.account.sessionEnds(absolute(sessionEnd.value))}</p>
				{task.error !== undefined && (
					<LoadError error={task.error} retry={() => task.run(logOut)} />
				)}
			</Card>
			<Tokens />
			<Card>
				<Select
					label={t.account.appearance}
					hint={t.account.appearanceHint}
					value={theme.value}
					onValue={(value) => (theme.value = value as Theme)}
					options={(['system', 'light', 'dark'] as const).map((value) => ({
						value,
						text: t.account.themes[value],
					}))}
				/>
			</Card>
		</Page>
	);
}
